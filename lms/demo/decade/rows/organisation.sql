SELECT id, district_id, name_zh, name_en, sector, true AS active FROM host WHERE name_zh IS NOT NULL
