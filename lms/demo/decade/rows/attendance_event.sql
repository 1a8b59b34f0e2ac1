SELECT CASE nth WHEN 0 THEN pg_temp.ref(key, 'arrive') ELSE pg_temp.ref(key, 'leave') END AS id,
    meetings_before + number AS course_session_id, enrolment_id, CASE nth WHEN 0 THEN 'arrive' ELSE 'leave' END AS kind,
    CASE WHEN overlooked_one THEN 'correction' ELSE 'tap' END AS method, happened_at,
    CASE WHEN overlooked_one THEN closed_at + CASE corrected WHEN 'adjustment' THEN interval '150 days' ELSE interval '2 days' END
        ELSE happened_at + interval '2 seconds' END AS received_at,
    CASE WHEN overlooked_one THEN '核对签到表后补记' END AS reason
FROM run
CROSS JOIN LATERAL generate_series(1, meetings) AS number
CROSS JOIN LATERAL (SELECT ((day - (meetings - number) * gap) + hour) AT TIME ZONE {zone} AS starts_at OFFSET 0) AS clock
CROSS JOIN LATERAL generate_series(places_before + 1, places_before + named) AS enrolment_id
CROSS JOIN LATERAL (
    SELECT enrolment_id * 4 + number AS key, corrected IS NOT NULL AND kind = 2 AND enrolment_id = places_before + named
        AS overlooked_one
) AS one
CROSS JOIN LATERAL generate_series(0, (pg_temp.early(key) > 0)::int) AS nth
CROSS JOIN LATERAL (
    SELECT starts_at + CASE nth WHEN 0 THEN pg_temp.late(key) ELSE minutes - pg_temp.early(key) END * interval '1 minute'
        AS happened_at
) AS told
WHERE meetings = 1 OR pg_temp.attends(enrolment_id, number, meetings)
