SELECT e AS id, run.id AS offering_id,
    {trainee_base} + pg_temp.comer(run.id, place, places, fresh, known) AS trainee_id,
    left(md5('ticket' || {seed}::text || ':' || e::text), 22) AS ticket,
    CASE WHEN seat >= named + absent THEN 'cancelled' WHEN seat >= named THEN 'incomplete'
        WHEN kind < 3 OR (fits AND mark >= 60) THEN 'completed' WHEN mark < 60 THEN 'failed' ELSE 'incomplete' END AS state,
    CASE WHEN pg_temp.pick(e, 53, 3) = 0 THEN 'staff' ELSE 'self' END AS source,
    published_at + pg_temp.pick(e, 54, 10 * 1440) * interval '1 minute' AS created_at,
    CASE WHEN seat >= named + absent THEN published_at + interval '15 days' END AS cancelled_at,
    came AS sessions_attended, stayed AS minutes_attended,
    CASE WHEN seat >= named + absent THEN '[]'
        WHEN kind < 3 THEN CASE WHEN seat < named THEN '["no_certificate_course"]' ELSE '["absent", "no_certificate_course"]' END
        WHEN seat >= named THEN '["absent", "theory_missing"]'
        WHEN fits THEN CASE WHEN mark >= 60 THEN '[]' ELSE '["theory_failed"]' END
        ELSE CASE WHEN mark >= 60 THEN '["sessions_missing"]' ELSE '["sessions_missing", "theory_failed"]' END
    END::jsonb AS shortfalls,
    kind >= 3 AND seat < named AND fits AND mark >= 60 AS certificate_due,
    CASE WHEN kind >= 3 AND seat < named AND fits AND mark >= 60 THEN closed_at + interval '3 days' END AS certified_at
FROM run
CROSS JOIN LATERAL generate_series(0, places - 1) AS seat
CROSS JOIN LATERAL (
    SELECT places_before + seat + 1 AS e, (seat + pg_temp.pick(run.id, 51, places)) % places AS place,
        pg_temp.mark(places_before + seat + 1) AS mark
    OFFSET 0
) AS one
CROSS JOIN LATERAL (
    SELECT CASE WHEN seat >= named THEN 0 WHEN meetings = 1 THEN 1
            ELSE (SELECT count(*) FROM generate_series(1, meetings) AS n WHERE pg_temp.attends(e, n, meetings)) END AS came,
        CASE WHEN seat >= named THEN 0 WHEN meetings = 1 THEN pg_temp.stayed(e * 4 + 1, minutes)
            ELSE (SELECT sum(pg_temp.stayed(e * 4 + n, minutes)) FROM generate_series(1, meetings) AS n
                WHERE pg_temp.attends(e, n, meetings)) END AS stayed
    OFFSET 0
) AS presence
CROSS JOIN LATERAL (SELECT came >= meetings AS fits) AS judged
