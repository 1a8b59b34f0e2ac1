-- What happened in the ten years, in temporary tables of the connection that makes the rows; nothing is written yet.
-- The words in braces are filled in by lms/demo/decade/making.py. Every choice is a hash of a number and the seed, so the
-- same seed makes the same years; a sum is met exactly because the last class takes what is left.

CREATE FUNCTION pg_temp.hash(n bigint, salt integer) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashint8extended(n, {seed}::bigint * 1000 + salt) & 9223372036854775807;

-- A whole number from 0 to below `among`.
CREATE FUNCTION pg_temp.pick(n bigint, salt integer, among integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((hashint8extended(n, {seed}::bigint * 1000 + salt) & 9223372036854775807) % among)::integer;

-- A number from 0 to below 1.
CREATE FUNCTION pg_temp.draw(n bigint, salt integer) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(n, {seed}::bigint * 1000 + salt) & 4503599627370495) / 4503599627370496.0::float8;

-- All made text first: with a number between, the function is not immutable, hence not inlined, and six times as slow.
CREATE FUNCTION pg_temp.ref(n bigint, kind text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(kind || {seed}::text || ':' || n::text)::uuid;

-- Of one attendance (key: enrolment id * 4 + the session's number): minutes after the start, minutes left before the end.
CREATE FUNCTION pg_temp.late(key bigint) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_temp.pick(key, 61, 29) - 20;

CREATE FUNCTION pg_temp.early(key bigint) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_temp.pick(key, 62, 20) = 0 THEN 5 + pg_temp.pick(key, 63, 25) ELSE 0 END;

CREATE FUNCTION pg_temp.stayed(key bigint, minutes integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN minutes - greatest(pg_temp.pick(key, 61, 29) - 20, 0)
    - CASE WHEN pg_temp.pick(key, 62, 20) = 0 THEN 5 + pg_temp.pick(key, 63, 25) ELSE 0 END;

-- Of one enrolment: whether present at a session (at one of them always), the theory score.
CREATE FUNCTION pg_temp.attends(e bigint, number integer, meetings integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN number = 1 + pg_temp.pick(e, 64, meetings) OR pg_temp.pick(e * 4 + number, 65, 20) > 0;

CREATE FUNCTION pg_temp.mark(e bigint) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 50 + pg_temp.pick(e, 71, 31) + pg_temp.pick(e, 72, 21);

-- Who takes a place of an offering: the first `fresh` places are somebody new, the others people known before, all different.
CREATE FUNCTION pg_temp.comer(run bigint, place integer, places integer, fresh bigint, known bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN place < fresh THEN known + place + 1
    ELSE 1 + (pg_temp.pick(run, 52, known::integer) + (place - fresh) * (known / (places - fresh))) % known END;

-- The districts' shares, in the order of their ids: where many live, much is held.
CREATE TEMP TABLE area AS
SELECT id, (sum(weight) OVER (ORDER BY id) - weight)::float8 / sum(weight) OVER () AS beneath
FROM district
JOIN unnest(ARRAY[7, 9, 15, 10, 4, 15, 3, 6, 7, 5, 6, 5, 2, 2, 2, 2]) WITH ORDINALITY AS share (weight, number)
  ON share.number = district.id;

-- Hosts: those that were hired for the demo's accounts, and as many more as make the number whole.
CREATE TEMP TABLE host AS
WITH fresh AS (
    SELECT n, width_bucket(pg_temp.draw(n, 1), (SELECT array_agg(beneath ORDER BY id) FROM area)) AS district_id
    FROM generate_series((SELECT count(*) FROM host_hired) + 1, {hosts}) AS n
)
SELECT row_number() OVER (ORDER BY id) AS n, id, district_id, sector, NULL::text AS name_zh, NULL::text AS name_en
FROM host_hired
UNION ALL
SELECT n, {organisation_base} + n, place.id, kind.sector,
    place.name_zh || (ARRAY['和平', '团结', '朝阳', '建设', '光明', '胜利', '幸福', '长安', '永定', '玉泉', '龙泉', '清水', '红旗',
        '东风', '新华', '友谊', '文化', '双桥', '青年', '金星', '北苑', '南湖', '西山', '松林', '安定', '花园', '阳光', '春晖', '学府', '枫林'
        ])[1 + pg_temp.pick(n, 3, 30)] || kind.name_zh || '（第' || n || '号）',
    kind.name_en || ' No. ' || n || ', ' || place.name_en
FROM fresh
JOIN district AS place ON place.id = fresh.district_id
CROSS JOIN LATERAL (
    SELECT * FROM (VALUES
        (30, 'community', '社区', 'Community'), (48, 'village', '村', 'Village'), (70, 'school', '学校', 'School'),
        (85, 'enterprise', '有限公司', 'Company'), (94, 'office', '机关服务中心', 'Office'),
        (97, 'family', '家园', 'Families'), (100, 'red_cross', '街道红十字会', 'Red Cross')
    ) AS kinds (upto, sector, name_zh, name_en)
    WHERE upto > pg_temp.pick(n, 2, 100) ORDER BY upto LIMIT 1
) AS kind;
CREATE INDEX ON host (n);
ANALYZE host;

-- Instructors. Where a district has many, they teach there; the others share the rest of the city.
CREATE TEMP TABLE teacher AS
WITH fresh AS (
    SELECT n, width_bucket(pg_temp.draw(n, 11), (SELECT array_agg(beneath ORDER BY id) FROM area)) AS district_id
    FROM generate_series((SELECT count(*) FROM teacher_hired) + 1, {instructors}) AS n
), everybody AS (
    SELECT row_number() OVER (ORDER BY id) AS n, id, district_id, true AS hired FROM teacher_hired
    UNION ALL
    SELECT n, {instructor_base} + n, district_id, false FROM fresh
), grouped AS (
    SELECT *, CASE WHEN count(*) OVER (PARTITION BY district_id) >= 40 THEN district_id ELSE 0 END AS pool FROM everybody
)
SELECT *, row_number() OVER (PARTITION BY pool ORDER BY n) - 1 AS position, count(*) OVER (PARTITION BY pool) AS others
FROM grouped;
CREATE INDEX ON teacher (pool, position);
ANALYZE teacher;

CREATE TEMP TABLE pool AS
SELECT district.id AS district_id, pool.number, pool.size
FROM district
LEFT JOIN LATERAL (
    SELECT pool AS number, count(*) AS size FROM teacher WHERE pool IN (district.id, 0) GROUP BY pool ORDER BY pool DESC LIMIT 1
) AS pool ON true;

-- Months: more from year to year, most in spring and in the autumn term.
CREATE TEMP TABLE month AS
SELECT first::date, ((sum(weight) OVER (ORDER BY first) - weight) / sum(weight) OVER ())::float8 AS beneath
FROM (
    SELECT first, (1 + 0.2 * (extract(year FROM first) - 2008))
        * (ARRAY[.5, .3, 1.1, 1.4, 1.5, 1.1, .7, .6, 1.3, 1.3, 1.2, .8])[extract(month FROM first)::int] AS weight
    FROM generate_series(timestamp '2008-01-01', timestamp '2017-12-01', interval '1 month') AS first
) AS weighted;

-- Classes until the sums are met: talks (1), rescue courses (2), first-responder courses (3; refreshers become 4).
CREATE TEMP TABLE class AS
WITH talk AS (
    SELECT n, heads, sum(heads) OVER (ORDER BY n) - heads AS before
    FROM (
        SELECT n, 40 + pg_temp.pick(n, 21, 321) AS heads FROM generate_series(1, 1 + {counted} / 40) AS n
    ) AS sized
), kept AS (
    SELECT n, least(heads, {counted} - before)::int AS counted,
        CASE WHEN pg_temp.pick(n, 22, 10) < 3 THEN 1 + pg_temp.pick(n, 23, 4) ELSE 0 END AS named
    FROM talk WHERE before < {counted}
), left_over AS (
    SELECT {rescue} - {counted} - (SELECT coalesce(sum(named), 0) FROM kept) AS named
), rescue AS (
    SELECT n, size, sum(size) OVER (ORDER BY n) - size AS before
    FROM (SELECT n, 20 + pg_temp.pick(n, 24, 51) AS size FROM generate_series(1, 1 + {rescue} / 20) AS n) AS sized
), responder AS (
    SELECT n, size, sum(size) OVER (ORDER BY n) - size AS before
    FROM (SELECT n, 20 + pg_temp.pick(n, 25, 31) AS size FROM generate_series(1, 1 + {responders} / 20) AS n) AS sized
)
SELECT 1 AS kind, n, named, counted FROM kept
UNION ALL
SELECT 2, n, least(size, left_over.named - before)::int, 0 FROM rescue, left_over WHERE before < left_over.named
UNION ALL
SELECT 3, n, least(size, {responders} - before)::int, 0 FROM responder WHERE before < {responders};

-- When, where, how long; ids in the order of time. `day` is that of the last session.
CREATE TEMP TABLE held AS
WITH dated AS (
    SELECT key, kind, named, counted, (SELECT array_agg(first ORDER BY first) FROM month)[
        width_bucket(pg_temp.draw(key, 31), (SELECT array_agg(beneath ORDER BY first) FROM month))] AS first
    FROM (SELECT *, n * 4 + kind AS key FROM class) AS keyed
), kinds AS (
    SELECT key, named, counted, first,
        CASE WHEN kind = 3 AND first >= date '2011-01-01' AND pg_temp.pick(key, 33, 100) < 14 THEN 4 ELSE kind END AS kind
    FROM dated
), shaped AS (
    SELECT *,
        CASE kind WHEN 3 THEN 2 + (ARRAY[0, 0, 0, 0, 1, 1, 1, 2, 2, 2])[1 + pg_temp.pick(key, 34, 10)]
            WHEN 4 THEN 2 ELSE 1 END AS meetings,
        CASE WHEN pg_temp.pick(key, 35, 10) < 3 THEN 7 ELSE 1 END AS gap,
        first + pg_temp.pick(key, 32, ((first + interval '1 month')::date - first)) AS day
    FROM kinds
)
SELECT key, kind, named, counted, meetings, gap, greatest(day, date '2008-01-01' + (meetings - 1) * gap) AS day,
    CASE kind WHEN 1 THEN 120 WHEN 2 THEN 240 WHEN 3 THEN 960 / meetings ELSE 240 END AS minutes,
    CASE WHEN kind IN (1, 2) AND pg_temp.pick(key, 36, 2) = 1 THEN time '13:30' ELSE time '09:00' END AS hour,
    (named * pg_temp.draw(key, 37) * 0.12)::int AS absent,
    CASE WHEN named > 10 THEN pg_temp.pick(key, 38, 3) ELSE 0 END AS cancelled,
    1 + floor(power(pg_temp.draw(key, 39), 1.3::float8) * {hosts})::bigint AS host
FROM shaped;

CREATE TEMP TABLE run AS
WITH numbered AS (
    SELECT row_number() OVER (ORDER BY day, kind, key) AS n, held.*, named + absent + cancelled AS places,
        host.id AS organisation_id, host.district_id, host.sector
    FROM held JOIN host ON host.n = held.host
), counted AS (
    SELECT numbered.*,
        sum(places) OVER (ORDER BY n) - places AS places_before,
        sum(meetings) OVER (ORDER BY n) - meetings AS meetings_before,
        pool.number AS pool, pool.size AS teachers
    FROM numbered JOIN pool USING (district_id)
), met AS (
    SELECT *,
        CASE WHEN places_before < 200 THEN places ELSE round(places * {fresh_share}) END::bigint AS fresh,
        row_number() OVER (PARTITION BY pool ORDER BY n) - 1 AS turn
    FROM counted
)
SELECT {offering_base} + met.n AS id, kind, course.id AS course_id, organisation_id, met.district_id, sector, day, gap, hour,
    meetings, minutes, named, absent, cancelled, counted, places, fresh,
    {enrolment_base} + places_before::bigint AS places_before,
    {course_session_base} + meetings_before::bigint AS meetings_before,
    (sum(fresh) OVER (ORDER BY met.n) - fresh)::bigint AS known,
    lead.id AS lead_id,
    CASE WHEN kind >= 3 OR places > 24 THEN assistant.id END AS assistant_id,
    -- A few were corrected: somebody had been overlooked, or a headcount was too low; before the freeze, or after it.
    CASE WHEN kind IN (1, 2) AND named + counted > 30 AND pg_temp.pick(met.n, 41, 100) = 0 THEN
        CASE WHEN pg_temp.pick(met.n, 42, 3) = 0 AND day < date '2017-07-01' THEN 'adjustment' ELSE 'correction' END
    END AS corrected,
    5 + pg_temp.pick(met.n, 44, 20) AS overlooked,
    (day - (meetings - 1) * gap - 21 - pg_temp.pick(met.n, 43, 14))::timestamp AT TIME ZONE {zone} AS published_at,
    ((day + hour) AT TIME ZONE {zone}) + minutes * interval '1 minute' + interval '35 minutes' AS closed_at
FROM met
JOIN course_then AS course ON course.code = CASE kind WHEN 1 THEN 'RESCUE-TALK' WHEN 2 THEN 'RESCUE-2008' WHEN 3 THEN 'FR-2008'
    ELSE 'FR-REFRESHER-2008' END
LEFT JOIN teacher AS lead ON lead.pool = met.pool AND lead.position = turn % teachers
LEFT JOIN teacher AS assistant ON assistant.pool = met.pool AND assistant.position = (turn + teachers / 2) % teachers
ORDER BY met.n;
CREATE UNIQUE INDEX ON run (id);
ANALYZE run;

-- Nobody teaches twice on one day: where the turns would have it so, the old register does not say who taught.
CREATE TEMP TABLE clash AS
SELECT DISTINCT id, role
FROM (
    SELECT run.id, role, row_number() OVER (PARTITION BY person, day - (meetings - number) * gap ORDER BY run.id, role) AS nth
    FROM run
    CROSS JOIN LATERAL (VALUES ('lead', lead_id), ('assistant', assistant_id)) AS part (role, person)
    CROSS JOIN LATERAL generate_series(1, meetings) AS number
    WHERE person IS NOT NULL
) AS engaged
WHERE nth > 1;
UPDATE run SET lead_id = NULL FROM clash WHERE clash.id = run.id AND clash.role = 'lead';
UPDATE run SET assistant_id = NULL FROM clash WHERE clash.id = run.id AND clash.role = 'assistant';
