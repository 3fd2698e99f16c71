-- The first schema. Every row of the laboratory carries its legal entity and site (design D5); tables with patient data
-- have forced row-level security by site (SEC-53): `app.sites` is set in each transaction, without it no row is seen.
-- Times are UTC and come from the daemon's clock.

create table instance (
    one             boolean primary key default true check (one),
    instance_uuid   uuid not null,
    label           text not null,
    environment     text not null check (environment in ('production', 'test')),
    created_at      timestamptz not null
);
create table instance_version (
    id              bigint generated always as identity primary key,
    version         text not null,
    installed_at    timestamptz not null
);
-- instance_uuid is created with the database and never changes (R-70).
create function instance_is_immutable() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'DELETE' or new.instance_uuid is distinct from old.instance_uuid then
        raise exception 'the instance identifier never changes';
    end if;
    return new;
end $$;
create trigger instance_is_immutable before update or delete on instance
    for each row execute function instance_is_immutable();

-- ── The laboratory (imported, versioned, audited: design D15) ──────────────────────────────────────────────────────────
create table legal_entity (
    id              integer generated always as identity primary key,
    finess          text not null unique,
    definition      jsonb not null,
    updated_at      timestamptz not null
);
create table site (
    id              integer generated always as identity primary key,
    legal_entity_id integer not null references legal_entity,
    finess          text not null unique,          -- a geographic site counts once (R-73)
    definition      jsonb not null,
    updated_at      timestamptz not null
);
create table link (
    id              integer generated always as identity primary key,
    site_id         integer not null references site,
    name            text not null unique,
    definition      jsonb not null,
    active          boolean not null default true,
    updated_at      timestamptz not null
);
create table partner (
    id              integer generated always as identity primary key,
    legal_entity_id integer not null references legal_entity,
    name            text not null unique,
    kind            text not null check (kind in ('dmp', 'mss', 'dpi')),
    definition      jsonb not null,
    active          boolean not null default true,
    updated_at      timestamptz not null
);
create table correspondent (
    id              integer generated always as identity primary key,
    legal_entity_id integer not null references legal_entity,
    rpps            text not null,
    structure       text not null,
    definition      jsonb not null,
    active          boolean not null default true,
    updated_at      timestamptz not null,
    unique (legal_entity_id, rpps, structure)
);
create table analyte (
    id              integer generated always as identity primary key,
    site_id         integer not null references site,
    local_code      text not null,
    definition      jsonb not null,
    valid_from      timestamptz not null,
    valid_to        timestamptz
);
create unique index analyte_current on analyte (site_id, local_code) where valid_to is null;

create table app_user (
    id              integer generated always as identity primary key,
    login           text not null unique,
    definition      jsonb not null,                -- name, RPPS, speciality
    password        text,                          -- scrypt, demonstration accounts only
    active          boolean not null default true,
    updated_at      timestamptz not null
);
create table user_role (
    user_id         integer not null references app_user,
    site_id         integer not null references site,
    role            text not null check (role in ('secretary', 'technician', 'biologist', 'it_operator', 'dpo')),
    valid_from      timestamptz not null,
    valid_to        timestamptz,
    primary key (user_id, site_id, role)
);
create table web_session (
    token_hash      bytea primary key,
    user_id         integer not null references app_user,
    csrf_token      text not null,
    created_at      timestamptz not null,
    last_seen_at    timestamptz not null,
    authenticated_at timestamptz not null,
    ended_at        timestamptz
);
-- One row an import: what was set, by whom; also tells running daemons to read again.
create table configuration_change (
    id              bigint generated always as identity primary key,
    at              timestamptz not null,
    actor           text not null,
    kind            text not null,
    source_sha256   bytea not null,
    content         text not null
);

-- ── Patients and orders ────────────────────────────────────────────────────────────────────────────────────────────────
create table patient (
    id              uuid primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null references site,
    local_authority text not null,
    local_id        text not null,
    birth_name      text not null,
    birth_given_names text not null,
    first_given_name text not null,
    used_name       text not null,
    used_given_name text not null,
    birth_date      text not null,                 -- HL7 form, with its precision
    sex             text not null check (sex in ('F', 'M', 'U')),
    birth_place     text not null,
    address         jsonb not null,
    phone           text not null,
    ins_matricule   text,
    ins_oid         text,
    status          text not null check (status in ('PROV', 'RECUP', 'VALI', 'QUAL')),
    doubtful        boolean not null,
    fictitious      boolean not null,
    dmp_opposed     boolean not null,
    messaging_opposed boolean not null,
    row_version     integer not null default 1,
    updated_at      timestamptz not null,
    unique (legal_entity_id, local_authority, local_id),
    check ((ins_matricule is null) = (ins_oid is null)),
    check (status <> 'QUAL' or ins_matricule is not null)
);
create index patient_ins on patient (legal_entity_id, ins_matricule) where ins_matricule is not null;

create sequence order_sequence;                    -- numbers of orders that the registration left to us
create table lab_order (
    id              uuid primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null references site,
    patient_id      uuid not null references patient,
    number          text not null,                 -- ours (filler)
    placer_group    text not null,
    state           text not null check (state in ('registered', 'in_progress', 'fully_validated', 'reported', 'cancelled')),
    prescriber      jsonb not null,
    copies          jsonb not null,
    collector       jsonb not null,
    exams           jsonb not null,
    prescribed_at   text not null,
    registered_at   timestamptz not null,
    stay_number     text not null,
    patient_class   text not null,
    clinical_context text not null,
    urgent          boolean not null,
    row_version     integer not null default 1,    -- what a biologist saw: a stale one is refused
    last_event_at   timestamptz not null,
    closed_at       timestamptz,                   -- of full validation or cancellation; null while results are awaited
    unique (site_id, number),
    check ((closed_at is null) = (state in ('registered', 'in_progress')))
);
-- No index has a column that an arriving result changes: such an update stays on its page (HOT), whatever came before.
create index lab_order_open on lab_order (site_id, urgent desc, registered_at) where closed_at is null;
create index lab_order_closed on lab_order (site_id, closed_at desc) where closed_at is not null;
alter table lab_order set (fillfactor = 80);

create table specimen (
    id              uuid primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    order_id        uuid not null references lab_order,
    number          text not null,
    type            text not null,
    type_label      text not null,
    collected_at    text not null,
    received_at     text not null
);
create index specimen_order on specimen (order_id);

-- Every number by which a result may name its order: S specimen, F filler, P placer, A a step of work (awos).
create table order_number (
    site_id         integer not null,
    legal_entity_id integer not null,
    number          text not null,
    kind            text not null check (kind in ('S', 'F', 'P', 'A')),
    order_id        uuid not null references lab_order,
    -- The number first: row-level security makes site_id a condition of every look-up, and with the site in front of
    -- the key each batch would read all numbers of the site.
    primary key (number, site_id, kind)
);

-- ── What came in ───────────────────────────────────────────────────────────────────────────────────────────────────────
create sequence message_block;                     -- a daemon takes numbers a thousand at a time
create table message (
    id              bigint not null,
    received_at     timestamptz not null,
    kept_at         timestamptz not null,
    legal_entity_id integer not null,
    site_id         integer not null,
    link_id         integer not null,
    control_id      text not null,
    type            text not null,
    state           text not null check (state in ('applied', 'quarantined', 'rejected')),
    answer          text not null,                 -- AA, AE, AR
    size            bigint not null,               -- of the message; more than raw when it was too large to keep
    sha256          bytea not null,
    raw             bytea compression lz4 not null,
    primary key (id, received_at)
) partition by range (received_at);
create index message_site on message (site_id, received_at);
create table message_default partition of message default;

-- What one arriving message writes into message and message_key, as the daemon sends it.
create type arrival_row as (
    id bigint, received_at timestamptz, legal_entity_id integer, site_id integer, link_id integer, control_id text,
    type text, state text, answer text, size bigint, sha256 bytea, raw bytea, key bytea,
    content_sha256 bytea, answer_errors text);

-- Duplicates (hl7v2-lab 2.5); kept 30 days.
create table message_key (
    link_id         integer not null,
    key             bytea not null,                -- half of the SHA-256 of MSH-3, 4, 10; then half of that of MSH-7
    sha256          bytea not null,                -- of the message, from MSH to the last CR
    legal_entity_id integer not null,
    site_id         integer not null,
    message_id      bigint not null,
    answer          text not null,
    answer_errors   text not null,
    kept_at         timestamptz not null,
    primary key (link_id, key, sha256)
);
create index message_key_age on message_key (kept_at);

-- Results are append-only: a correction is a new row that points to the old one (lab-domain 2.4).
create table result (
    id              bigint generated always as identity primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    order_id        uuid,                          -- null: not matched, work to do
    message_id      bigint not null,
    position        integer not null,              -- of the OBX in its message
    code            text not null,                 -- as received
    analyte_id      integer,                       -- null: unknown code, work to do
    run             text not null,                 -- OBX-4
    status          text not null,                 -- OBX-11 as received
    value_kind      text not null check (value_kind in ('q', 'c', 't', 'n')),  -- quantity, coded, text, none
    comparator      text not null,
    value           text not null,
    value_system    text not null,
    unit            text not null,                 -- UCUM
    received_flags  text not null,
    note            text not null,
    specimen_number text not null,
    measured_at     text not null,
    received_at     timestamptz not null,
    -- quarantined: held until a person sets it aside or a later one supersedes it (hl7v2-lab 8.6)
    state           text not null check (state in ('raw', 'quarantined', 'late', 'bio_validated', 'superseded', 'set_aside')),
    replaces        bigint,
    isolate         text not null default '',      -- of a line of a culture: which isolate of the order (hl7v2-lab 8.8)
    detail          jsonb not null default '{}',   -- dilution, equipment, lots, performing laboratory, S/I/R…
    settled_at      timestamptz,                   -- of superseded and set_aside: when, by whom, why
    settled_by      text,
    settled_why     text
);
create index result_order on result (order_id) where order_id is not null;
create type result_row as (
    legal_entity_id integer, site_id integer, order_id uuid, message_id bigint, "position" integer, code text,
    analyte_id integer, run text, status text, value_kind text, comparator text, value text, value_system text, unit text,
    received_flags text, note text, specimen_number text, measured_at text, received_at timestamptz, state text,
    replaces bigint, isolate text, detail jsonb);

-- What needs a person (quarantine, unknown codes, unmatched results…): never dropped, never guessed.
create table work_item (
    id              bigint generated always as identity primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    kind            text not null,
    coordinate      text not null,
    what            text not null,                 -- without patient data
    message_id      bigint,
    order_id        uuid,
    created_at      timestamptz not null,
    done_at         timestamptz,
    done_by         text,                          -- user:<login>, or link:<name> of what made it pointless
    done_why        text
);
create index work_item_open on work_item (site_id, created_at) where done_at is null;
create index work_item_order on work_item (order_id) where done_at is null and order_id is not null;

-- ── Validation, reports, letters ───────────────────────────────────────────────────────────────────────────────────────
create table report_set (
    id              uuid primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    order_id        uuid not null unique references lab_order
);
create table report_version (
    id              uuid primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    set_id          uuid not null references report_set,
    version         integer not null check (version > 0),
    kind            text not null,
    state           text not null check (state in ('validated', 'published', 'refused')),
    validated_at    timestamptz not null,
    validated_by    integer not null references app_user,
    validator       jsonb not null,
    month           date not null,                 -- of validation, in the site's time zone: the accounting cohort
    comment         text not null,
    confidentiality text not null,
    ins_qualified   boolean not null,
    patient         jsonb not null,                -- the identity that was signed
    published_at    timestamptz,
    refusal         text,                          -- why it could not be composed, without patient data
    document_oid    text not null unique,
    unique (set_id, version)
);
create index report_version_to_compose on report_version (validated_at) where state = 'validated';
create index report_version_month on report_version (site_id, month);

create table validated_result (
    version_id      uuid not null references report_version,
    position        integer not null,
    legal_entity_id integer not null,
    site_id         integer not null,
    patient_id      uuid not null,
    result_id       bigint not null,
    loinc           text not null,
    local_code      text not null,
    content         jsonb not null,                -- label, value, range, flag, previous… as signed
    at              timestamptz not null,          -- of measurement, for previous results
    primary key (version_id, position)
);
create index validated_result_previous on validated_result (patient_id, local_code, at desc);

create table document (
    version_id      uuid not null,
    created_at      timestamptz not null,
    legal_entity_id integer not null,
    site_id         integer not null,
    variant         text not null,
    form            text not null check (form in ('n3', 'pdf')),
    oid             text not null,
    sha256          bytea not null,
    bytes           bytea not null,
    primary key (version_id, variant, form, created_at)
) partition by range (created_at);
alter table document alter column bytes set storage external;  -- compressed already
create table document_default partition of document default;

create table letter (
    id              uuid primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    version_id      uuid not null references report_version,
    variant         text not null,
    channel         text not null check (channel in ('DMP', 'MSS_PRO', 'MSS_CITIZEN', 'ORU_HOSPITAL')),
    act             text not null check (act in ('deliver', 'withdraw')),
    recipient_key   text not null,
    recipient_name  text not null,
    address         text not null,                 -- personal
    partner_id      integer,
    state           text not null check (state in ('due', 'sending', 'retry', 'in_doubt', 'accepted', 'delivered',
                                                   'blocked', 'not_applicable', 'dead', 'cancelled', 'held')),
    reason          text not null,
    attempts        integer not null default 0,
    month           date not null,
    created_at      timestamptz not null,
    trying_since    timestamptz not null,          -- moves when a person retries a dead letter
    next_attempt_at timestamptz not null,
    lease_owner     text,
    lease_until     timestamptz,
    fence           bigint not null default 0,
    first_sent_at   timestamptz,                   -- fixes dates and identifiers of the message
    accepted_at     timestamptz,
    partner_reference text not null default '',
    possible_duplicate boolean not null default false,
    error_where     text not null default '',
    error_what      text not null default '',
    unique (version_id, variant, channel, recipient_key, act)
);
create index letter_due on letter (channel, next_attempt_at) where state in ('due', 'retry', 'in_doubt');
create index letter_leased on letter (lease_until) where state = 'sending';
create index letter_month on letter (site_id, month, channel, state, reason);
create index letter_open on letter (site_id, state, created_at)
    where state in ('retry', 'in_doubt', 'blocked', 'dead', 'held');
alter table letter set (fillfactor = 70);

-- Each change of a letter, for its history and for the accounting, which is recomputed from here.
create table letter_event (
    id              bigint generated always as identity primary key,
    letter_id       uuid not null references letter,
    legal_entity_id integer not null,
    site_id         integer not null,
    at              timestamptz not null,
    actor           text not null,
    from_state      text not null,
    to_state        text not null,
    reason          text not null,
    attempt         integer not null,
    detail          text not null                  -- fault, coordinate, partner's code; no patient data
);
create index letter_event_letter on letter_event (letter_id, id);

-- SAF-01: no code alone decides that. Nothing waits to leave without validation, nor to the DMP or the patient without
-- a qualified INS.
create function letter_guard() returns trigger language plpgsql set search_path = pg_catalog, public as $$
declare qualified boolean;
begin
    if new.state in ('due', 'sending', 'retry', 'in_doubt', 'accepted', 'delivered') then
        select v.ins_qualified into qualified from report_version v where v.id = new.version_id;
        if not found then
            raise exception 'a letter needs a biologically validated report' using errcode = 'check_violation';
        end if;
        if new.channel in ('DMP', 'MSS_CITIZEN') and not qualified then
            raise exception 'this channel needs a qualified INS' using errcode = 'check_violation';
        end if;
    end if;
    return new;
end $$;
create trigger letter_guard before insert or update of state, channel, version_id on letter
    for each row execute function letter_guard();

-- ── Audit (SEC-65) ─────────────────────────────────────────────────────────────────────────────────────────────────────
create table audit_event (
    id              bigint generated always as identity primary key,
    at              timestamptz not null,
    legal_entity_id integer,
    site_id         integer,
    actor           text not null,
    action          text not null,
    object          text not null,
    payload         text not null,                 -- may hold patient data: read by the auditor role only
    payload_sha256  bytea not null
);
create type audit_row as (
    legal_entity_id integer, site_id integer, actor text, action text, object text, payload text, payload_sha256 bytea);
-- One chain per instance; the leased sealer appends within a second. hash = SHA-256(canonical row ‖ prev_hash).
create table audit_chain (
    seq             bigint primary key,
    event_id        bigint not null unique,
    prev_hash       bytea not null,
    hash            bytea not null
);
create table lease (
    name            text primary key,
    owner           text not null,
    until           timestamptz not null,
    fence           bigint not null
);

-- ── Rights (SEC-52) and row-level security (SEC-53) ───────────────────────────────────────────────────────────────────
grant usage on schema public to lab_app, lab_audit_w, lab_audit_r, lab_stats, lab_backup;
grant select on all tables in schema public to lab_backup;
grant select on all sequences in schema public to lab_backup;
-- pg_dump reads each partition by itself, also those that are made below and later.
alter default privileges in schema public grant select on tables to lab_backup;
alter default privileges in schema public grant select on sequences to lab_backup;
grant select on instance, instance_version, legal_entity, site, link, partner, correspondent, analyte, app_user,
    user_role, configuration_change to lab_app;
grant insert on instance, instance_version, legal_entity, site, link, partner, correspondent, analyte, app_user,
    user_role, configuration_change to lab_app;
grant update on legal_entity, site, link, partner, correspondent, analyte, app_user, user_role to lab_app;
grant delete on user_role to lab_app;
grant select, insert, update on web_session, patient, lab_order, specimen, order_number, message, message_key, result,
    work_item, report_set, report_version, validated_result, document, letter, letter_event, lease to lab_app;
grant delete on message_key, web_session to lab_app;
revoke update on message, document, validated_result, letter_event, order_number from lab_app;
grant insert on audit_event to lab_app;
grant usage on all sequences in schema public to lab_app;
grant select on audit_event to lab_audit_w;
grant select, insert on audit_chain to lab_audit_w;
grant select, insert, update on lease to lab_audit_w;
grant select on audit_event, audit_chain to lab_audit_r;

-- The sites of the transaction. In a policy always as "(select …)": asked once a statement, not for each row.
create function visible_sites() returns int[] language sql stable
    return coalesce(nullif(current_setting('app.sites', true), ''), '{}')::int[];

do $$
declare t text;
begin
    foreach t in array array['lab_order', 'specimen', 'order_number', 'message', 'message_key', 'result', 'work_item',
                             'report_set', 'report_version', 'validated_result', 'document', 'letter', 'letter_event']
    loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format($p$create policy by_site on %I
            using (site_id = any ((select visible_sites())::int[]))
            with check (site_id = any ((select visible_sites())::int[]))$p$, t);
    end loop;
end $$;

-- A patient belongs to a legal entity; whoever works on one of its sites may know him.
alter table patient enable row level security;
alter table patient force row level security;
create policy by_legal_entity on patient
    using (legal_entity_id in (select s.legal_entity_id from site s
        where s.id = any ((select visible_sites())::int[])))
    with check (legal_entity_id in (select s.legal_entity_id from site s
        where s.id = any ((select visible_sites())::int[])));
-- The owner's migrations and the backup see all rows through these policies.
do $$
declare t text;
begin
    foreach t in array array['patient', 'lab_order', 'specimen', 'order_number', 'message', 'message_key', 'result',
                             'work_item', 'report_set', 'report_version', 'validated_result', 'document', 'letter', 'letter_event']
    loop
        execute format('create policy backup_reads on %I for select to lab_backup using (true)', t);
    end loop;
end $$;

-- Payload tables by month (design D5). Made ahead by the migrating role; the default partition catches what is left.
create procedure make_partitions(months_ahead integer) language plpgsql set search_path = pg_catalog, public as $$
declare
    first date := date_trunc('month', now() at time zone 'utc')::date;
    t text; m integer; a date; name text;
begin
    foreach t in array array['message', 'document'] loop
        for m in 0..months_ahead loop
            a := (first + make_interval(months => m))::date;
            name := format('%s_%s', t, to_char(a, 'YYYYMM'));
            if to_regclass('public.' || name) is null then
                execute format('create table public.%I partition of public.%I for values from (%L) to (%L)', name, t,
                               a::text || ' 00:00+00', (a + interval '1 month')::date::text || ' 00:00+00');
            end if;
        end loop;
    end loop;
end $$;
call make_partitions(24);
