-- +goose Up

-- Units, as in the code: money in pence, volume in 0.0001 cubic metres, weight in grams, lengths in
-- millimetres. JSON is text. Rows below companies carry company_id so that every statement can name
-- the tenant.

CREATE TABLE companies (
    id                TEXT NOT NULL PRIMARY KEY,
    name              TEXT NOT NULL,
    slug              TEXT NOT NULL,
    email             TEXT NOT NULL,
    phone             TEXT,
    primary_colour    TEXT NOT NULL,
    secondary_colour  TEXT NOT NULL,
    is_active         BOOLEAN NOT NULL,
    credits           BIGINT NOT NULL CHECK (credits >= 0),
    surveys_used      BIGINT NOT NULL CHECK (surveys_used >= 0),
    version           BIGINT NOT NULL,
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL,
    CONSTRAINT companies_slug_key UNIQUE (slug),
    CONSTRAINT companies_email_key UNIQUE (email)
);

CREATE TABLE company_pricing (
    company_id                        TEXT NOT NULL PRIMARY KEY REFERENCES companies (id) ON DELETE CASCADE,
    price_per_cbm_pence               BIGINT NOT NULL CHECK (price_per_cbm_pence >= 0),
    callout_fee_pence                 BIGINT NOT NULL CHECK (callout_fee_pence >= 0),
    bulky_item_fee_pence              BIGINT NOT NULL CHECK (bulky_item_fee_pence >= 0),
    bulky_weight_threshold_kg         BIGINT NOT NULL CHECK (bulky_weight_threshold_kg >= 0),
    fragile_item_fee_pence            BIGINT NOT NULL CHECK (fragile_item_fee_pence >= 0),
    weight_threshold_kg               BIGINT NOT NULL CHECK (weight_threshold_kg >= 0),
    price_per_kg_over_threshold_pence BIGINT NOT NULL CHECK (price_per_kg_over_threshold_pence >= 0),
    base_distance_km                  BIGINT NOT NULL CHECK (base_distance_km >= 0),
    price_per_km_pence                BIGINT NOT NULL CHECK (price_per_km_pence >= 0),
    price_per_floor_pence             BIGINT NOT NULL CHECK (price_per_floor_pence >= 0),
    no_lift_surcharge_pence           BIGINT NOT NULL CHECK (no_lift_surcharge_pence >= 0),
    parking_street_fee_pence          BIGINT NOT NULL CHECK (parking_street_fee_pence >= 0),
    parking_permit_fee_pence          BIGINT NOT NULL CHECK (parking_permit_fee_pence >= 0),
    parking_limited_fee_pence         BIGINT NOT NULL CHECK (parking_limited_fee_pence >= 0),
    parking_distance_per_50m_pence    BIGINT NOT NULL CHECK (parking_distance_per_50m_pence >= 0),
    narrow_access_fee_pence           BIGINT NOT NULL CHECK (narrow_access_fee_pence >= 0),
    time_restriction_fee_pence        BIGINT NOT NULL CHECK (time_restriction_fee_pence >= 0),
    booking_required_fee_pence        BIGINT NOT NULL CHECK (booking_required_fee_pence >= 0),
    outdoor_path_fee_pence            BIGINT NOT NULL CHECK (outdoor_path_fee_pence >= 0),
    outdoor_steps_per_5_pence         BIGINT NOT NULL CHECK (outdoor_steps_per_5_pence >= 0),
    pack1_price_pence                 BIGINT NOT NULL CHECK (pack1_price_pence >= 0),
    pack2_price_pence                 BIGINT NOT NULL CHECK (pack2_price_pence >= 0),
    pack3_price_pence                 BIGINT NOT NULL CHECK (pack3_price_pence >= 0),
    pack6_price_pence                 BIGINT NOT NULL CHECK (pack6_price_pence >= 0),
    robe_carton_price_pence           BIGINT NOT NULL CHECK (robe_carton_price_pence >= 0),
    mattress_cover_price_pence        BIGINT NOT NULL CHECK (mattress_cover_price_pence >= 0),
    tape_price_pence                  BIGINT NOT NULL CHECK (tape_price_pence >= 0),
    paper_price_pence                 BIGINT NOT NULL CHECK (paper_price_pence >= 0),
    packing_labor_per_hour_pence      BIGINT NOT NULL CHECK (packing_labor_per_hour_pence >= 0),
    estimate_low_bp                   BIGINT NOT NULL CHECK (estimate_low_bp >= 0),
    estimate_high_bp                  BIGINT NOT NULL CHECK (estimate_high_bp >= 0),
    version                           BIGINT NOT NULL,
    created_at                        TIMESTAMPTZ NOT NULL,
    updated_at                        TIMESTAMPTZ NOT NULL,
    CHECK (estimate_low_bp < estimate_high_bp)
);

-- A move. "search" is folded text for the list's q parameter; while the survey is open it holds no
-- more than staff may see then.
CREATE TABLE jobs (
    id                         TEXT NOT NULL PRIMARY KEY,
    company_id                 TEXT NOT NULL REFERENCES companies (id),
    mode                       TEXT NOT NULL CHECK (mode IN ('quote', 'survey_only')),
    status                     TEXT NOT NULL CHECK (status IN
        ('in_progress', 'survey_complete', 'awaiting_approval', 'approved', 'accepted')),
    customer_name              TEXT,
    customer_email             TEXT,
    customer_phone             TEXT,
    pickup                     TEXT,
    dropoff                    TEXT,
    pickup_property            TEXT,
    dropoff_property           TEXT,
    pickup_access              TEXT,
    dropoff_access             TEXT,
    move_date                  TEXT,
    customer_provides_packing  BOOLEAN NOT NULL,
    quote                      TEXT,
    final_price_pence          BIGINT CHECK (final_price_pence >= 1),
    quote_expires_at           TIMESTAMPTZ,
    search                     TEXT NOT NULL,
    submitted_at               TIMESTAMPTZ,
    approved_at                TIMESTAMPTZ,
    accepted_at                TIMESTAMPTZ,
    version                    BIGINT NOT NULL,
    created_at                 TIMESTAMPTZ NOT NULL,
    updated_at                 TIMESTAMPTZ NOT NULL
);
CREATE INDEX jobs_company_created ON jobs (company_id, created_at, id);
CREATE INDEX jobs_company_status ON jobs (company_id, status, created_at, id);
CREATE INDEX jobs_status_submitted ON jobs (status, submitted_at);

CREATE TABLE survey_tokens (
    id          TEXT NOT NULL PRIMARY KEY,
    sha256      TEXT NOT NULL,
    company_id  TEXT NOT NULL REFERENCES companies (id),
    job_id      TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    reason      TEXT NOT NULL CHECK (reason IN ('create', 'reissue')),
    expires_at  TIMESTAMPTZ NOT NULL,
    revoked_at  TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    CONSTRAINT survey_tokens_sha256_key UNIQUE (sha256)
);
CREATE INDEX survey_tokens_job_expires ON survey_tokens (job_id, expires_at);
CREATE INDEX survey_tokens_company ON survey_tokens (company_id);

CREATE TABLE rooms (
    id              TEXT NOT NULL PRIMARY KEY,
    company_id      TEXT NOT NULL REFERENCES companies (id),
    job_id          TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    summary         TEXT,
    pack_requested  BOOLEAN NOT NULL,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX rooms_job_created ON rooms (job_id, created_at, id);
CREATE INDEX rooms_company ON rooms (company_id);

CREATE TABLE photos (
    id            TEXT NOT NULL PRIMARY KEY,
    company_id    TEXT NOT NULL REFERENCES companies (id),
    job_id        TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    room_id       TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    sha256        TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    bytes         BIGINT NOT NULL CHECK (bytes > 0),
    width         BIGINT NOT NULL CHECK (width > 0),
    height        BIGINT NOT NULL CHECK (height > 0),
    storage_key   TEXT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    CONSTRAINT photos_job_sha256_key UNIQUE (job_id, sha256)
);
CREATE INDEX photos_room_created ON photos (room_id, created_at, id);
CREATE INDEX photos_company ON photos (company_id);

CREATE TABLE items (
    id             TEXT NOT NULL PRIMARY KEY,
    company_id     TEXT NOT NULL REFERENCES companies (id),
    job_id         TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    room_id        TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    name           TEXT NOT NULL,
    original_name  TEXT,
    qty            BIGINT NOT NULL CHECK (qty >= 1),
    length_mm      BIGINT CHECK (length_mm > 0),
    width_mm       BIGINT CHECK (width_mm > 0),
    height_mm      BIGINT CHECK (height_mm > 0),
    volume         BIGINT CHECK (volume >= 0),
    weight_g       BIGINT CHECK (weight_g >= 0),
    fragile        BOOLEAN NOT NULL,
    category       TEXT NOT NULL,
    packing        TEXT NOT NULL,
    variant_group  TEXT,
    variant_id     TEXT,
    confidence_bp  BIGINT CHECK (confidence_bp BETWEEN 0 AND 10000),
    photo_ids      TEXT NOT NULL,
    flags          TEXT NOT NULL,
    notes          TEXT,
    source         TEXT NOT NULL CHECK (source IN ('ai', 'customer')),
    edited         BOOLEAN NOT NULL,
    position       BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    updated_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX items_room_position ON items (room_id, position, id);
CREATE INDEX items_job ON items (job_id);
CREATE INDEX items_company ON items (company_id);

-- A room has at most one analysis under way, and one waiting behind it for photos that came later.
-- lease_until of a queued analysis says by when a worker should have claimed it, of a running one
-- how long its worker counts as alive. "claim" changes with every claim, so that a worker which was
-- given up for dead cannot write any more.
CREATE TABLE analyses (
    id              TEXT NOT NULL PRIMARY KEY,
    company_id      TEXT NOT NULL REFERENCES companies (id),
    job_id          TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    room_id         TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    status          TEXT NOT NULL CHECK (status IN
        ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    progress        BIGINT NOT NULL CHECK (progress BETWEEN 0 AND 100),
    attempts        BIGINT NOT NULL,
    claim           TEXT,
    lease_until     TIMESTAMPTZ,
    photos          BIGINT NOT NULL,
    items_found     BIGINT NOT NULL,
    model           TEXT,
    prompt_version  TEXT,
    input_tokens    BIGINT NOT NULL,
    output_tokens   BIGINT NOT NULL,
    duration_ms     BIGINT NOT NULL,
    error_code      TEXT,
    created_at      TIMESTAMPTZ NOT NULL,
    started_at      TIMESTAMPTZ,
    finished_at     TIMESTAMPTZ
);
CREATE UNIQUE INDEX analyses_one_queued_per_room ON analyses (room_id) WHERE status = 'queued';
CREATE UNIQUE INDEX analyses_one_running_per_room ON analyses (room_id) WHERE status = 'running';
CREATE INDEX analyses_lease ON analyses (lease_until) WHERE status IN ('queued', 'running');
CREATE INDEX analyses_room_created ON analyses (room_id, created_at, id);
CREATE INDEX analyses_job ON analyses (job_id);
CREATE INDEX analyses_company ON analyses (company_id);

-- +goose Down

DROP TABLE analyses;
DROP TABLE items;
DROP TABLE photos;
DROP TABLE rooms;
DROP TABLE survey_tokens;
DROP TABLE jobs;
DROP TABLE company_pricing;
DROP TABLE companies;
