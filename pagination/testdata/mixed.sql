SELECT *
FROM (SELECT i.id, i.rank + 1, i."rank" AS page_k1, i."big" AS page_k2, i."id" AS page_k3, 1 AS page_seg
FROM items AS i
WHERE (i.tenant = $1) AND i."rank" = CAST($2 AS BIGINT) AND i."big" = CAST($3 AS BIGINT) AND i."id" < CAST($4 AS BIGINT)
ORDER BY i."rank" ASC, i."big" DESC, i."id" DESC LIMIT $5) AS page_s1
UNION ALL
SELECT *
FROM (SELECT i.id, i.rank + 1, i."rank" AS page_k1, i."big" AS page_k2, i."id" AS page_k3, 2 AS page_seg
FROM items AS i
WHERE (i.tenant = $1) AND i."rank" = CAST($2 AS BIGINT) AND i."big" < CAST($3 AS BIGINT)
ORDER BY i."rank" ASC, i."big" DESC, i."id" DESC LIMIT $5) AS page_s2
UNION ALL
SELECT *
FROM (SELECT i.id, i.rank + 1, i."rank" AS page_k1, i."big" AS page_k2, i."id" AS page_k3, 3 AS page_seg
FROM items AS i
WHERE (i.tenant = $1) AND i."rank" > CAST($2 AS BIGINT)
ORDER BY i."rank" ASC, i."big" DESC, i."id" DESC LIMIT $5) AS page_s3
ORDER BY page_seg ASC, page_k1 ASC, page_k2 DESC, page_k3 DESC LIMIT $5

SELECT COUNT(*)
FROM (SELECT 1 AS page_one
FROM items AS i
WHERE (i.tenant = $1) LIMIT $2) AS page_counted
