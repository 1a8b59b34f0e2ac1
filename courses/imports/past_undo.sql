-- Statements of courses/imports/past_undo.py. Events and ledger lines are append-only: undo events and corrections
-- answer them.

-- Offerings that were changed since the import: a correction, an event or enrolment from elsewhere, or an assessment.
-- They stay.
-- name: touched
CREATE TEMP TABLE touched ON COMMIT DROP AS
SELECT offering.id, course.name_zh, organisation.name_zh AS host, offering.counted_on
FROM import_offering AS named
JOIN offering ON offering.id = named.offering_id
JOIN course ON course.id = offering.course_id
JOIN organisation ON organisation.id = offering.organisation_id
WHERE named.run_id = :run AND named.number BETWEEN :first AND :last AND offering.state = 'closed' AND (
    EXISTS (SELECT FROM person_time_entry AS line WHERE line.offering_id = offering.id
        AND line.kind IN ('correction', 'adjustment'))
    OR EXISTS (SELECT FROM enrolment WHERE enrolment.offering_id = offering.id AND enrolment.source <> 'import')
    OR EXISTS (SELECT FROM course_session JOIN attendance_event AS event ON event.course_session_id = course_session.id
        WHERE course_session.offering_id = offering.id AND event.method <> 'import')
    OR EXISTS (SELECT FROM enrolment JOIN assessment ON assessment.enrolment_id = enrolment.id
        WHERE enrolment.offering_id = offering.id)
)

-- name: concerned
CREATE TEMP TABLE concerned ON COMMIT DROP AS
SELECT offering.id FROM import_offering AS named JOIN offering ON offering.id = named.offering_id
WHERE named.run_id = :run AND named.number BETWEEN :first AND :last AND offering.state = 'closed'
    AND NOT EXISTS (SELECT FROM touched WHERE touched.id = offering.id)

-- name: empty_participation
UPDATE participation SET trainees = '{}' FROM concerned WHERE offering_id = concerned.id

-- name: contradict
INSERT INTO attendance_event (id, course_session_id, enrolment_id, kind, method, happened_at, received_at, user_id, reason, undoes)
SELECT gen_random_uuid(), attendance.course_session_id, attendance.enrolment_id, 'undo', 'import', attendance.arrived_at, :now,
    :user, :reason, attendance.event_id
FROM concerned
JOIN enrolment ON enrolment.offering_id = concerned.id
JOIN attendance ON attendance.enrolment_id = enrolment.id

-- name: unmark
DELETE FROM attendance USING enrolment, concerned
WHERE attendance.enrolment_id = enrolment.id AND enrolment.offering_id = concerned.id

-- name: ledger
INSERT INTO person_time_entry (offering_id, kind, dated_on, recorded_at, recorded_by, corrects_id, reason, enrolled, named,
    counted, minutes, passed, certificates)
SELECT line.offering_id,
    CASE WHEN line.kind = 'closing' THEN 'withdrawal' WHEN shut.year IS NULL THEN 'correction' ELSE 'adjustment' END,
    CASE WHEN shut.year IS NULL THEN line.dated_on ELSE :today END, :now, :user, line.id, :reason, -line.enrolled,
    -line.named, -line.counted, -line.minutes, -line.passed, -line.certificates
FROM concerned
JOIN person_time_entry AS line ON line.offering_id = concerned.id
LEFT JOIN frozen_quarter AS shut
    ON shut.year = extract(year FROM line.dated_on) AND shut.quarter = extract(quarter FROM line.dated_on)
ORDER BY line.id

-- The enrolments refer to the anonymous trainee afterwards: the records of the people are as if the file had not been
-- imported.
-- name: cancel_enrolment
UPDATE enrolment SET state = 'cancelled', cancelled_at = :now, cancel_reason = :reason, trainee_id = :nobody,
    sessions_attended = 0, minutes_attended = 0, shortfalls = '[]', certificate_due = false, certified_at = NULL
FROM concerned WHERE enrolment.offering_id = concerned.id

-- name: free_instructor
UPDATE session_instructor SET active = false FROM course_session, concerned
WHERE session_instructor.course_session_id = course_session.id AND course_session.offering_id = concerned.id

-- name: cancel_offering
UPDATE offering SET state = 'cancelled', cancelled_at = :now, cancel_reason = :reason, counted_on = NULL, closed_at = NULL
FROM concerned WHERE offering.id = concerned.id

-- name: forget_people
WITH chunk AS (
    SELECT line, trainee_id FROM import_person
    WHERE run_id = :run AND made AND line > :first AND line <= :last AND trainee_id IS NOT NULL
), gone AS (
    DELETE FROM trainee USING chunk
    WHERE trainee.id = chunk.trainee_id AND trainee.user_id IS NULL
        AND NOT EXISTS (SELECT FROM enrolment WHERE enrolment.trainee_id = trainee.id)
        AND NOT EXISTS (SELECT FROM trainee_merge AS merge WHERE trainee.id IN (merge.kept_id, merge.merged_id))
    RETURNING trainee.id
)
SELECT (SELECT count(*) FROM chunk), (SELECT count(*) FROM gone)
