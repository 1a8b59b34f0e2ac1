SELECT CASE kind_of WHEN 'arrive' THEN pg_temp.ref(key, 'arrive') ELSE pg_temp.ref(key, 'leave') END AS id,
    meetings_before + number AS course_session_id, places_before + seat + 1 AS enrolment_id, kind_of AS kind,
    CASE WHEN overlooked_one THEN 'correction' ELSE 'tap' END AS method,
    CASE kind_of WHEN 'arrive' THEN starts_at + pg_temp.late(key) * interval '1 minute'
        ELSE starts_at + (minutes - pg_temp.early(key)) * interval '1 minute' END AS happened_at,
    CASE WHEN overlooked_one THEN closed_at + CASE corrected WHEN 'adjustment' THEN interval '150 days' ELSE interval '2 days' END
        WHEN kind_of = 'arrive' THEN starts_at + (pg_temp.late(key) * 60 + 2) * interval '1 second'
        ELSE starts_at + ((minutes - pg_temp.early(key)) * 60 + 2) * interval '1 second' END AS received_at,
    CASE WHEN overlooked_one THEN '核对签到表后补记' END AS reason
FROM run
CROSS JOIN LATERAL generate_series(1, meetings) AS number
CROSS JOIN LATERAL (SELECT ((day - (meetings - number) * gap) + hour) AT TIME ZONE {zone} AS starts_at OFFSET 0) AS clock
CROSS JOIN LATERAL generate_series(0, named - 1) AS seat
CROSS JOIN LATERAL (
    SELECT (places_before + seat + 1) * 4 + number AS key, corrected IS NOT NULL AND kind = 2 AND seat = named - 1 AS overlooked_one
    OFFSET 0
) AS one
CROSS JOIN LATERAL (SELECT unnest(CASE WHEN pg_temp.early(key) > 0 THEN ARRAY['arrive', 'leave'] ELSE ARRAY['arrive'] END)) AS told (kind_of)
WHERE (meetings = 1 OR pg_temp.attends(places_before + seat + 1, number, meetings))
