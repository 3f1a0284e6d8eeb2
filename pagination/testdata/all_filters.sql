SELECT i.id, i.rank + 1, i."rank" AS page_k1, i."id" AS page_k2
FROM items AS i
WHERE (i.tenant = $1) AND i."done" IS NULL AND (i."name" <> $2 OR i."name" IS NULL) AND (i."name" LIKE $3 ESCAPE '!' AND SUBSTR(i."name", 1, CAST($4 AS INTEGER)) = $5) AND i."rank" >= CAST($6 AS BIGINT) AND i."rank" <> CAST($7 AS BIGINT) AND i."tenant" IN ($8, $9) AND (i."folded" LIKE $10 ESCAPE '!') AND (i."rank", i."id") < (CAST($11 AS BIGINT), CAST($12 AS BIGINT))
ORDER BY i."rank" DESC, i."id" DESC LIMIT $13

SELECT COUNT(*)
FROM (SELECT 1 AS page_one
FROM items AS i
WHERE (i.tenant = $1) AND i."done" IS NULL AND (i."name" <> $2 OR i."name" IS NULL) AND (i."name" LIKE $3 ESCAPE '!' AND SUBSTR(i."name", 1, CAST($4 AS INTEGER)) = $5) AND i."rank" >= CAST($6 AS BIGINT) AND i."rank" <> CAST($7 AS BIGINT) AND i."tenant" IN ($8, $9) AND (i."folded" LIKE $10 ESCAPE '!') LIMIT $11) AS page_counted
