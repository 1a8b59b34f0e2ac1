SELECT id, course_id, organisation_id, district_id, lead_id AS lead_instructor_id,
    (ARRAY['一层多功能厅', '二层培训教室', '三层会议室', '社区活动中心', '综合楼报告厅'])[1 + pg_temp.pick(id, 91, 5)] AS place,
    greatest(CASE kind WHEN 1 THEN 500 WHEN 2 THEN 60 ELSE 50 END, places)::smallint AS capacity, false AS by_invitation,
    'closed' AS state, published_at AS created_at, published_at, closed_at, day AS counted_on
FROM run ORDER BY id
