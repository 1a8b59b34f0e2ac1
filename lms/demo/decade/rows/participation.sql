SELECT run.id AS offering_id, coalesce(array_agg({trainee_base} + pg_temp.comer(
        run.id, (seat + pg_temp.pick(run.id, 51, places)) % places, places, fresh, known) ORDER BY seat)
    FILTER (WHERE seat IS NOT NULL), ARRAY[]::bigint[]) AS trainees
FROM run LEFT JOIN LATERAL generate_series(0, named - 1) AS seat ON true
GROUP BY run.id
