-- Statements of courses/imports/past.py, each below its name. :run is the id of the import, :zone the branch's time
-- zone.

-- Offerings that existed before the import: the same host, course, place and first start.

-- name: known
UPDATE import_offering AS named SET known_id = (
    SELECT offering.id FROM offering JOIN course_session ON course_session.offering_id = offering.id
    WHERE offering.organisation_id = named.organisation_id AND offering.course_id = named.course_id
        AND offering.place = named.place AND offering.state <> 'cancelled'
        AND course_session.starts_at = (named.days[1] + named.starts) AT TIME ZONE :zone
    ORDER BY offering.id LIMIT 1
)
WHERE run_id = :run AND offering_id IS NULL AND (number BETWEEN :first AND :last OR :everything)

-- Remarks on rows, which the reader has left in import_line; the rows themselves come there from import_attendance.
-- name: remarked
CREATE TEMP TABLE remarked ON COMMIT DROP AS
SELECT line, code, params FROM import_line WHERE run_id = :run AND outcome = 'new'

-- name: take_remarks
DELETE FROM import_line WHERE run_id = :run AND outcome = 'new'

-- Rows whose attendance is empty beside others that hold a mark, see presence.py.
-- name: refuse_empty
WITH open AS (DELETE FROM import_attendance WHERE run_id = :run AND present >= :empty RETURNING line, offering_key)
INSERT INTO import_line (run_id, line, outcome, code, params, key)
SELECT :run, line, 'refused', 'presence_empty', '{"column": "present"}', CAST(offering_key AS text) FROM open

-- name: write_remarks
UPDATE import_line AS line SET code = remarked.code, params = remarked.params
FROM remarked WHERE line.run_id = :run AND line.line = remarked.line AND line.outcome = 'new'

-- Identify people within the file: the same ID number, else the same phone and name. The first line represents the
-- person.
-- name: group
CREATE TEMP TABLE grouped ON COMMIT DROP AS
SELECT line, offering_key, name_key, coalesce(of_number, min(of_number) OVER same_phone, min(line) OVER same_phone) AS person
FROM (
    SELECT line, offering_key, phone_index, name_key,
        CASE WHEN id_number_index IS NOT NULL THEN min(line) OVER (PARTITION BY id_type, id_number_index) END AS of_number
    FROM import_attendance WHERE run_id = :run
) AS numbered
WINDOW same_phone AS (PARTITION BY phone_index, name_key)

-- The lines that represent a person: of the whole file (wanted), or of a chunk of people without a record yet
-- (missing).
-- name: wanted
CREATE TEMP TABLE wanted ON COMMIT DROP AS
SELECT said.line, said.id_type, said.id_number_index, said.phone_index, said.name_key
FROM grouped JOIN import_attendance AS said ON said.run_id = :run AND said.line = grouped.line
WHERE grouped.line = grouped.person

-- name: missing
CREATE TEMP TABLE wanted ON COMMIT DROP AS
SELECT said.line, said.id_type, said.id_number_index, said.phone_index, said.name_key, said.name_sound, said.ref, said.name,
    said.phone_sealed, said.birth_year, said.id_number_sealed, named.district_id
FROM import_person AS person
JOIN import_attendance AS said ON said.run_id = :run AND said.line = person.line AND said.line > :first AND said.line <= :last
JOIN import_offering AS named ON named.run_id = :run AND named.key = said.offering_key
WHERE person.run_id = :run AND person.line > :first AND person.line <= :last AND person.trainee_id IS NULL

-- The trainee record of each person: the same ID number, else the same phone and name, unless both have a resident's
-- number. number_name: the name of the record with the ID number, because an ID number alone names nobody.
-- A record that was merged leads to the one that was kept.
-- ORDER BY trainee.id + 0: with a plain ORDER BY id the planner would scan the primary key from its start.
-- name: find
CREATE TEMP TABLE found ON COMMIT DROP AS
SELECT wanted.line, coalesce(numbered.id, phoned.id) AS id, numbered.name_key AS number_name
FROM wanted
LEFT JOIN LATERAL (
    SELECT coalesce(trainee.merged_into_id, trainee.id) AS id, trainee.name_key FROM trainee
    WHERE trainee.id_type = wanted.id_type AND trainee.id_number_index = wanted.id_number_index LIMIT 1
) AS numbered ON true
LEFT JOIN LATERAL (
    SELECT coalesce(trainee.merged_into_id, trainee.id) AS id FROM trainee
    WHERE numbered.id IS NULL AND trainee.phone_index = wanted.phone_index AND trainee.name_key = wanted.name_key
        AND NOT (coalesce(trainee.id_type, '') = 'resident' AND coalesce(wanted.id_type, '') = 'resident')
    ORDER BY trainee.id + 0 LIMIT 1
) AS phoned ON true

-- The same while FIELD_KEY is replaced: a record may have the indexes of the former key or of the new one (past_keys.py).
-- name: find_under_keys
CREATE TEMP TABLE found ON COMMIT DROP AS
SELECT wanted.line, coalesce(numbered.id, phoned.id) AS id, numbered.name_key AS number_name
FROM wanted
LEFT JOIN indexed USING (line)
LEFT JOIN LATERAL (
    SELECT coalesce(trainee.merged_into_id, trainee.id) AS id, trainee.name_key FROM trainee
    WHERE trainee.id_type = wanted.id_type AND trainee.id_number_index = ANY (indexed.id_number_indexes) LIMIT 1
) AS numbered ON true
LEFT JOIN LATERAL (
    SELECT coalesce(trainee.merged_into_id, trainee.id) AS id FROM trainee
    WHERE numbered.id IS NULL AND trainee.phone_index = ANY (indexed.phone_indexes) AND trainee.name_key = wanted.name_key
        AND NOT (coalesce(trainee.id_type, '') = 'resident' AND coalesce(wanted.id_type, '') = 'resident')
    ORDER BY trainee.id + 0 LIMIT 1
) AS phoned ON true

-- name: turns
UPDATE import_offering AS named SET number = turn.number
FROM (
    SELECT offering_key, row_number() OVER (ORDER BY min(line)) AS number
    FROM grouped JOIN import_offering ON run_id = :run AND key = offering_key
    WHERE known_id IS NULL GROUP BY offering_key
) AS turn
WHERE named.run_id = :run AND named.key = turn.offering_key

-- Rows whose person has an enrolment in the offering that existed before.
-- name: there
CREATE TEMP TABLE there ON COMMIT DROP AS
SELECT grouped.line
FROM grouped
JOIN import_offering AS named ON named.run_id = :run AND named.key = offering_key AND known_id IS NOT NULL
JOIN found ON found.line = grouped.person
JOIN enrolment ON enrolment.offering_id = known_id AND enrolment.trainee_id = found.id AND enrolment.state <> 'cancelled'

-- name: judge
INSERT INTO import_line (run_id, line, outcome, code, params, number, person)
SELECT :run, line,
    CASE WHEN misnamed THEN 'refused' WHEN nth > 1 THEN 'double' WHEN known_id IS NULL THEN 'new' WHEN there THEN 'known'
        ELSE 'refused' END,
    CASE WHEN misnamed THEN 'misnamed' WHEN nth > 1 THEN 'double' WHEN known_id IS NULL OR there THEN NULL
        ELSE 'offering_known' END,
    CASE WHEN nth > 1 AND NOT misnamed THEN jsonb_build_object('line', first_line) END,
    CASE WHEN nth = 1 AND NOT misnamed THEN number END, person
FROM (
    SELECT grouped.line, named.known_id, named.number, grouped.person, there.line IS NOT NULL AS there,
        coalesce(found.number_name <> grouped.name_key, false) AS misnamed,
        row_number() OVER same AS nth, first_value(grouped.line) OVER same AS first_line
    FROM grouped
    JOIN import_offering AS named ON named.run_id = :run AND named.key = offering_key
    JOIN found ON found.line = grouped.person
    LEFT JOIN there ON there.line = grouped.line
    WINDOW same AS (PARTITION BY offering_key, coalesce(-found.id, grouped.person) ORDER BY grouped.line)
) AS judged

-- An offering is imported whole: its right rows wait for the wrong rows, and are listed with them as rows to correct. No
-- row waits for a wrong row of somebody who attended no session, by whom nothing is counted.
-- name: hold_back
UPDATE import_line AS line SET outcome = 'refused', code = 'offering_waits', number = NULL,
    params = jsonb_build_object('line', broken.line)
FROM import_attendance AS said
JOIN (
    SELECT key, min(line) AS line
    FROM (
        SELECT CAST(key AS uuid), line FROM import_line WHERE run_id = :run AND outcome = 'refused' AND key IS NOT NULL
        UNION ALL
        SELECT offering_key, wrong.line FROM import_line AS wrong JOIN import_attendance AS said USING (run_id, line)
        WHERE run_id = :run AND outcome = 'refused' AND code <> 'offering_waits' AND said.present <> 0
    ) AS wrong GROUP BY key
) AS broken ON broken.key = said.offering_key
WHERE said.run_id = :run AND line.run_id = :run AND line.line = said.line AND line.outcome = 'new'
    AND (line.number BETWEEN :first AND :last OR :everything)

-- People who occur only in rows that are not imported get no record.
-- name: persons
INSERT INTO import_person (run_id, line, trainee_id, made)
SELECT :run, line, id, false FROM found
WHERE line IN (SELECT person FROM import_line WHERE run_id = :run AND outcome = 'new')
ORDER BY line

-- name: enlist
WITH fresh AS (
    INSERT INTO trainee (ref, district_id, name, name_key, name_sound, phone_sealed, phone_index, birth_year, id_type, id_number_sealed,
        id_number_index, created_at)
    SELECT ref, district_id, name, name_key, name_sound, phone_sealed, phone_index, birth_year, id_type, id_number_sealed,
        id_number_index, :now
    FROM wanted JOIN found USING (line) WHERE found.id IS NULL ORDER BY line
    ON CONFLICT DO NOTHING
    RETURNING id, ref
)
UPDATE import_person AS person SET trainee_id = coalesce(found.id, fresh.id), made = fresh.id IS NOT NULL
FROM wanted JOIN found USING (line) LEFT JOIN fresh USING (ref)
WHERE person.run_id = :run AND person.line = wanted.line AND coalesce(found.id, fresh.id) IS NOT NULL

-- name: refuse_known
UPDATE import_line AS line SET outcome = 'refused', code = 'offering_known', number = NULL
FROM import_offering AS named
WHERE named.run_id = :run AND named.number BETWEEN :first AND :last AND named.known_id IS NOT NULL
    AND line.run_id = :run AND line.number = named.number

-- Records that this import made for people of whom, after all, no row is imported.
-- name: idle
CREATE TEMP TABLE idle ON COMMIT DROP AS
SELECT line, trainee_id FROM import_person AS person
WHERE run_id = :run AND made AND trainee_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM import_line AS line WHERE line.run_id = :run AND line.person = person.line AND line.outcome = 'new')

-- name: forget
WITH gone AS (
    DELETE FROM trainee USING idle
    WHERE trainee.id = idle.trainee_id AND trainee.user_id IS NULL
        AND NOT EXISTS (SELECT FROM enrolment WHERE enrolment.trainee_id = trainee.id)
        AND NOT EXISTS (SELECT FROM trainee_merge AS merge WHERE trainee.id IN (merge.kept_id, merge.merged_id))
    RETURNING trainee.id
)
UPDATE import_person AS person SET trainee_id = NULL, made = false
FROM idle JOIN gone ON gone.id = idle.trainee_id WHERE person.run_id = :run AND person.line = idle.line

-- name: offered
CREATE TEMP TABLE offered ON COMMIT DROP AS
SELECT named.*, nextval((SELECT pg_get_serial_sequence('offering', 'id')::regclass)) AS id
FROM (
    SELECT key, number, course_id, district_id, organisation_id, lead_instructor_id, place, days, starts, ends,
        days[array_length(days, 1)] AS counted_on
    FROM import_offering
    WHERE run_id = :run AND number BETWEEN :first AND :last AND known_id IS NULL AND offering_id IS NULL
        AND EXISTS (SELECT FROM import_line AS line WHERE line.run_id = :run AND line.number = import_offering.number)
    ORDER BY number
) AS named

-- name: remember
UPDATE import_offering AS named SET offering_id = offered.id FROM offered WHERE named.run_id = :run AND named.key = offered.key

-- A session whose end is not after its start ends on the next day. turn: times of day up to it are on the next day then
-- (past_times.py).
-- name: meeting
CREATE TEMP TABLE meeting ON COMMIT DROP AS
SELECT each.*, nextval((SELECT pg_get_serial_sequence('course_session', 'id')::regclass)) AS id
FROM (
    SELECT offered.id AS offering_id, nth::int - 1 AS bit, day, (day + starts) AT TIME ZONE :zone AS starts_at,
        (day + CASE WHEN ends <= starts THEN 1 ELSE 0 END + ends) AT TIME ZONE :zone AS ends_at, lead_instructor_id,
        CASE WHEN ends <= starts THEN ends + (starts - ends) / 2 END AS turn
    FROM offered CROSS JOIN LATERAL unnest(days) WITH ORDINALITY AS held (day, nth)
    ORDER BY offered.number, nth
) AS each

-- The rows of the chunk in a table that is analysed: the planner takes import_line, which the import fills, to be
-- empty.
-- name: chosen
CREATE TEMP TABLE chosen ON COMMIT DROP AS
SELECT line.line, line.person, offered.id AS offering_id, course_id, counted_on, district_id, organisation_id
FROM offered JOIN import_line AS line ON line.number = offered.number
WHERE line.run_id = :run AND line.number BETWEEN :first AND :last AND line.outcome = 'new'

-- name: placed
CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT each.*, nextval((SELECT pg_get_serial_sequence('enrolment', 'id')::regclass)) AS id
FROM (
    SELECT DISTINCT ON (chosen.offering_id, person.trainee_id) chosen.line, chosen.offering_id, person.trainee_id,
        course_id, present, arrived, departed, result, certificate, issued_on, said.name, said.name_key, counted_on,
        chosen.district_id, organisation_id
    FROM chosen
    JOIN import_attendance AS said ON said.run_id = :run AND said.line = chosen.line
    JOIN import_person AS person ON person.run_id = :run AND person.line = chosen.person
    ORDER BY chosen.offering_id, person.trainee_id, chosen.line
) AS each

-- name: presence
CREATE TEMP TABLE presence ON COMMIT DROP AS
SELECT placed.id AS enrolment_id, meeting.id AS course_session_id, gen_random_uuid() AS event_id,
    coalesce((day + CASE WHEN arrived <= turn THEN 1 ELSE 0 END + arrived) AT TIME ZONE :zone, starts_at) AS arrived_at,
    (day + CASE WHEN departed <= turn THEN 1 ELSE 0 END + departed) AT TIME ZONE :zone AS left_at,
    starts_at, ends_at
FROM placed JOIN meeting ON meeting.offering_id = placed.offering_id
WHERE (present >> bit) & 1 = 1

-- name: write_offering
INSERT INTO offering (id, course_id, organisation_id, district_id, lead_instructor_id, place, capacity, by_invitation, state,
    created_at, published_at, closed_at, counted_on)
SELECT offered.id, course_id, organisation_id, district_id, lead_instructor_id, place,
    greatest(course.capacity, least(32767, coalesce(people, 0)))::smallint, false, 'closed', :now, :now, :now, counted_on
FROM offered JOIN course ON course.id = course_id
LEFT JOIN (SELECT offering_id, count(*) AS people FROM placed GROUP BY offering_id) AS held ON held.offering_id = offered.id

-- name: write_session
INSERT INTO course_session (id, offering_id, starts_at, ends_at, headcount, closed_at)
SELECT id, offering_id, starts_at, ends_at, 0, :now FROM meeting

-- An old register may name an instructor at two places at once: the exclusion constraint then keeps the first only.
-- name: write_lead
INSERT INTO session_instructor (course_session_id, instructor_id, role, during, active)
SELECT id, lead_instructor_id, 'lead', tstzrange(starts_at, ends_at, '[)'), true
FROM meeting WHERE lead_instructor_id IS NOT NULL ORDER BY id
ON CONFLICT DO NOTHING

-- The result of each enrolment, as closing would judge it.
-- name: judged
CREATE TEMP TABLE judged ON COMMIT DROP AS
SELECT placed.id, offering_id, trainee_id,
    CASE WHEN coalesce(came, 0) = 0 THEN 'incomplete' WHEN result = 'failed' THEN 'failed'
        WHEN result = 'passed' OR certificate IS NOT NULL OR (enough AND pass_mark IS NULL)
        THEN 'completed' ELSE 'incomplete' END AS state,
    coalesce(came, 0) AS came, coalesce(minutes, 0) AS minutes,
    CASE WHEN coalesce(came, 0) = 0 THEN '["absent"]'::jsonb WHEN result = 'failed' THEN '["theory_failed"]'
        WHEN result = 'passed' OR certificate IS NOT NULL THEN '[]' WHEN NOT enough
            THEN CASE WHEN came < needed THEN '["sessions_missing"]'::jsonb ELSE '[]' END
                || CASE WHEN minutes < minutes_needed THEN '["minutes_missing"]'::jsonb ELSE '[]' END
        WHEN pass_mark IS NOT NULL THEN '["theory_missing"]' ELSE '[]' END
        || CASE WHEN certificate_type IS NULL THEN '["no_certificate_course"]'::jsonb ELSE '[]' END AS shortfalls,
    CASE WHEN certificate IS NOT NULL THEN (issued_on + time '12:00') AT TIME ZONE :zone END AS certified_at
FROM placed
JOIN course ON course.id = course_id
LEFT JOIN (
    SELECT enrolment_id, count(*)::smallint AS came, sum(floor(date_part('epoch',
        greatest(least(coalesce(left_at, ends_at), ends_at) - greatest(arrived_at, starts_at), interval '0')) / 60)::integer)
        AS minutes
    FROM presence GROUP BY enrolment_id
) AS stayed ON stayed.enrolment_id = placed.id
JOIN (
    SELECT meeting.offering_id, CASE WHEN course.attendance_rule = 'share' THEN 1 ELSE count(*) END AS needed,
        ceil(sum(floor(date_part('epoch', ends_at - starts_at) / 60)) * coalesce(course.minutes_share, 0) / 100)
        AS minutes_needed
    FROM meeting JOIN offered ON offered.id = meeting.offering_id JOIN course ON course.id = offered.course_id
    GROUP BY meeting.offering_id, course.id
) AS demand USING (offering_id)
CROSS JOIN LATERAL (SELECT came >= needed AND minutes >= minutes_needed AS enough) AS attended

-- Tickets are made and sealed in Python (past.py).
-- name: ticketed
CREATE TEMP TABLE ticketed (id bigint, ticket_hash bytea, ticket_sealed bytea) ON COMMIT DROP

-- name: write_enrolment
INSERT INTO enrolment (id, offering_id, trainee_id, ticket_hash, ticket_sealed, state, source, created_at, sessions_attended, minutes_attended,
    shortfalls, certificate_due, certified_at)
SELECT id, offering_id, trainee_id, ticket_hash, ticket_sealed, state, 'import', :now, came, minutes, shortfalls, false,
    certified_at
FROM judged JOIN ticketed USING (id) ORDER BY id

-- One ledger line for each offering, dated by its last day, or today where that quarter is frozen, as
-- person_time.record_closing.
-- name: write_closing
INSERT INTO person_time_entry (offering_id, kind, dated_on, recorded_at, recorded_by, enrolled, named, counted, minutes, passed,
    certificates)
SELECT offered.id, 'closing', CASE WHEN shut.year IS NULL THEN counted_on ELSE :today END, :now, :user, coalesce(enrolled, 0),
    coalesce(named, 0), 0, coalesce(figures.minutes, 0), coalesce(passed, 0), 0
FROM offered
LEFT JOIN (
    SELECT offering_id, count(*) AS enrolled, count(*) FILTER (WHERE came > 0) AS named, sum(minutes)::bigint AS minutes,
        count(*) FILTER (WHERE state = 'completed') AS passed
    FROM judged GROUP BY offering_id
) AS figures ON figures.offering_id = offered.id
LEFT JOIN frozen_quarter AS shut
    ON shut.year = extract(year FROM counted_on) AND shut.quarter = extract(quarter FROM counted_on)
ORDER BY offered.id

-- name: write_event
INSERT INTO attendance_event (id, course_session_id, enrolment_id, kind, method, happened_at, received_at, user_id)
SELECT event_id, course_session_id, enrolment_id, 'arrive', 'import', arrived_at, :now, :user FROM presence
UNION ALL
SELECT gen_random_uuid(), course_session_id, enrolment_id, 'leave', 'import', left_at, :now, :user
FROM presence WHERE left_at IS NOT NULL

-- name: write_attendance
INSERT INTO attendance (course_session_id, enrolment_id, event_id, arrived_at, left_at)
SELECT course_session_id, enrolment_id, event_id, arrived_at, left_at FROM presence

-- name: write_participation
INSERT INTO participation (offering_id, trainees)
SELECT offered.id, coalesce(array_agg(DISTINCT trainee_id ORDER BY trainee_id) FILTER (WHERE present > 0), '{}')
FROM offered LEFT JOIN placed ON placed.offering_id = offered.id GROUP BY offered.id
