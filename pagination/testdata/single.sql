SELECT i.id, i.rank + 1, i."id" AS page_k1
FROM items AS i
WHERE (i.tenant = $1) AND i."id" > CAST($2 AS BIGINT)
ORDER BY i."id" ASC LIMIT $3

SELECT COUNT(*)
FROM (SELECT 1 AS page_one
FROM items AS i
WHERE (i.tenant = $1) LIMIT $2) AS page_counted
