SELECT i.id, i.rank + 1, i."rank" AS page_k1, i."id" AS page_k2
FROM items AS i
WHERE (i.tenant = $1) AND (i."rank", i."id") < (CAST($2 AS BIGINT), CAST($3 AS BIGINT))
ORDER BY i."rank" DESC, i."id" DESC LIMIT $4

SELECT COUNT(*)
FROM (SELECT 1 AS page_one
FROM items AS i
WHERE (i.tenant = $1) LIMIT $2) AS page_counted
