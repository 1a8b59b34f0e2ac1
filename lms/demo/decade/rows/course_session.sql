SELECT meetings_before + number AS id, run.id AS offering_id, starts_at,
    starts_at + minutes * interval '1 minute' AS ends_at, counted::bigint AS headcount,
    starts_at + minutes * interval '1 minute' + interval '35 minutes' AS closed_at
FROM run
CROSS JOIN LATERAL generate_series(1, meetings) AS number
CROSS JOIN LATERAL (SELECT ((day - (meetings - number) * gap) + hour) AT TIME ZONE {zone} AS starts_at) AS clock
ORDER BY 1
