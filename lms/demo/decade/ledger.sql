-- The ledger as closing wrote it, from the enrolments as closing left them; then what was corrected, then the certificates.
-- Run on the filled connection; `corrected` is what the plan has altered afterwards (offering, kind, enrolment, heads).
WITH figures AS (
    SELECT offering_id, count(*) FILTER (WHERE state <> 'cancelled') AS enrolled,
        count(*) FILTER (WHERE sessions_attended > 0) AS named, sum(minutes_attended)::bigint AS minutes,
        count(*) FILTER (WHERE state = 'completed') AS passed
    FROM enrolment GROUP BY offering_id
), heads AS (
    SELECT offering_id, max(headcount) AS counted FROM course_session GROUP BY offering_id
)
INSERT INTO person_time_entry
    (offering_id, kind, dated_on, recorded_at, enrolled, named, counted, minutes, passed, certificates)
SELECT offering.id, 'closing', counted_on, closed_at, coalesce(enrolled, 0),
    coalesce(named, 0) - (overlooked.id IS NOT NULL)::int, counted - coalesce(corrected.heads, 0),
    coalesce(figures.minutes, 0) - coalesce(overlooked.minutes_attended, 0),
    coalesce(passed, 0) - (overlooked.id IS NOT NULL)::int, 0
FROM offering
JOIN heads ON heads.offering_id = offering.id
LEFT JOIN figures ON figures.offering_id = offering.id
LEFT JOIN corrected ON corrected.offering_id = offering.id
LEFT JOIN enrolment AS overlooked ON overlooked.id = corrected.enrolment_id
ORDER BY closed_at, offering.id;

INSERT INTO person_time_entry
    (offering_id, kind, dated_on, recorded_at, corrects_id, reason, enrolled, named, counted, minutes, passed, certificates)
SELECT corrected.offering_id, corrected.kind,
    CASE corrected.kind WHEN 'adjustment' THEN (at AT TIME ZONE {zone})::date ELSE closing.dated_on END,
    at, closing.id, '核对签到表后补记', 0, (overlooked.id IS NOT NULL)::int, coalesce(heads, 0),
    coalesce(overlooked.minutes_attended, 0), (overlooked.id IS NOT NULL)::int, 0
FROM corrected
JOIN person_time_entry AS closing ON closing.offering_id = corrected.offering_id AND closing.kind = 'closing'
LEFT JOIN enrolment AS overlooked ON overlooked.id = corrected.enrolment_id
ORDER BY at, corrected.offering_id;

INSERT INTO person_time_entry
    (offering_id, kind, dated_on, recorded_at, enrolled, named, counted, minutes, passed, certificates)
SELECT offering_id, 'certification', (certified_at AT TIME ZONE {zone})::date, certified_at, 0, 0, 0, 0, 0, count(*)
FROM enrolment WHERE certified_at IS NOT NULL
GROUP BY offering_id, certified_at ORDER BY certified_at, offering_id;

INSERT INTO frozen_quarter (year, quarter, frozen_at)
SELECT extract(year FROM first), extract(quarter FROM first), (first + interval '3 months 14 days 10 hours') AT TIME ZONE {zone}
FROM generate_series(timestamp '2008-01-01', timestamp '2017-10-01', interval '3 months') AS first;

-- The paper of those years: certificates from before this system, found by number and holder, with no code to scan. Four of
-- five are matched to their holders; the others wait for a person to decide.
INSERT INTO legacy_certificate
    (ref, number, number_key, name, name_key, programme_code, course, unit, issued_on, valid_until, source, imported_at,
    certificate_type, trainee_id, matched_how, matched_at, suggestion)
SELECT md5('paper' || {seed} || ':' || enrolment.id)::uuid, 'BJ-JHY-' || extract(year FROM certified_at AT TIME ZONE {zone}) || '-' || enrolment.id,
    'BJJHY' || extract(year FROM certified_at AT TIME ZONE {zone}) || enrolment.id, trainee.name, trainee.name_key, course.programme_code,
    course.name_zh, district.name_zh || '红十字会', (certified_at AT TIME ZONE {zone})::date,
    (certified_at AT TIME ZONE {zone} + interval '3 years' - interval '1 day')::date, '2008–2017 demo', now(),
    course.certificate_type, CASE WHEN matched THEN trainee.id END, CASE WHEN matched THEN 'name_and_phone' END,
    CASE WHEN matched THEN now() END, CASE WHEN NOT matched THEN 'name' END
FROM enrolment
CROSS JOIN LATERAL (SELECT enrolment.id % 5 <> 0 AS matched) AS lot
JOIN trainee ON trainee.id = enrolment.trainee_id
JOIN offering ON offering.id = enrolment.offering_id
JOIN course ON course.id = offering.course_id
JOIN district ON district.id = offering.district_id
WHERE certified_at IS NOT NULL
