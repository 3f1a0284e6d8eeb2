SELECT i.id, i.rank + 1, i."name" AS page_k1, i."id" AS page_k2
FROM items AS i
WHERE (i.tenant = $1)
ORDER BY i."name" ASC NULLS LAST, i."id" ASC LIMIT $2 OFFSET $3

SELECT COUNT(*)
FROM (SELECT 1 AS page_one
FROM items AS i
WHERE (i.tenant = $1) LIMIT $2) AS page_counted
