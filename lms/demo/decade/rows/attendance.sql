SELECT meetings_before + number AS course_session_id, places_before + seat + 1 AS enrolment_id,
    pg_temp.ref(key, 'arrive') AS event_id,
    starts_at + pg_temp.late(key) * interval '1 minute' AS arrived_at,
    CASE WHEN pg_temp.early(key) > 0 THEN starts_at + (minutes - pg_temp.early(key)) * interval '1 minute' END AS left_at
FROM run
CROSS JOIN LATERAL generate_series(1, meetings) AS number
CROSS JOIN LATERAL (SELECT ((day - (meetings - number) * gap) + hour) AT TIME ZONE {zone} AS starts_at OFFSET 0) AS clock
CROSS JOIN LATERAL generate_series(0, named - 1) AS seat
CROSS JOIN LATERAL (SELECT (places_before + seat + 1) * 4 + number AS key OFFSET 0) AS one
WHERE (meetings = 1 OR pg_temp.attends(places_before + seat + 1, number, meetings))
