SELECT *
FROM (SELECT i.id, i.rank + 1, i."name" AS page_k1, i."at" AS page_k2, i."id" AS page_k3, 1 AS page_seg
FROM items AS i
WHERE (i.tenant = $1) AND i."name" = $2 AND i."at" IS NULL AND i."id" > CAST($3 AS BIGINT)
ORDER BY i."name" DESC, i."at" ASC, i."id" ASC LIMIT $4) AS page_s1
UNION ALL
SELECT *
FROM (SELECT i.id, i.rank + 1, i."name" AS page_k1, i."at" AS page_k2, i."id" AS page_k3, 2 AS page_seg
FROM items AS i
WHERE (i.tenant = $1) AND i."name" < $2
ORDER BY i."name" DESC, i."at" ASC NULLS LAST, i."id" ASC LIMIT $4) AS page_s2
ORDER BY page_seg ASC, page_k1 DESC NULLS FIRST, page_k2 ASC NULLS LAST, page_k3 ASC LIMIT $4

SELECT COUNT(*)
FROM (SELECT 1 AS page_one
FROM items AS i
WHERE (i.tenant = $1) LIMIT $2) AS page_counted
