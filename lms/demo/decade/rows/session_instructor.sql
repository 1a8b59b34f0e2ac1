SELECT meetings_before + number AS course_session_id, person AS instructor_id, role,
    tstzrange(starts_at, starts_at + minutes * interval '1 minute', '[)') AS during, true AS active,
    starts_at - interval '25 minutes' AS arrived_at, starts_at + minutes * interval '1 minute' AS left_at
FROM run
CROSS JOIN LATERAL (VALUES ('lead', lead_id), ('assistant', assistant_id)) AS part (role, person)
CROSS JOIN LATERAL generate_series(1, meetings) AS number
CROSS JOIN LATERAL (SELECT ((day - (meetings - number) * gap) + hour) AT TIME ZONE {zone} AS starts_at) AS clock
WHERE person IS NOT NULL
