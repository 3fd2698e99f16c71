-- Rules that help a biologist to validate (lab-domain 4.2): sets as imported, who approved which for his sites, and what
-- they said of an order.

-- Never changed: another file is another set. It holds no patient and no site; where it is in force is approved.
create table rule_set (
    id              integer generated always as identity primary key,
    name            text not null,
    body            jsonb not null,                -- rules and tests, as they are read
    source          text not null,                 -- the file
    sha256          bytea not null unique,
    imported_at     timestamptz not null,
    imported_by     text not null
);

-- In force on a site from `active_from` on, until a later one.
create table rule_approval (
    id              bigint generated always as identity primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null references site,
    rule_set_id     integer not null references rule_set,
    approved_at     timestamptz not null,
    approved_by     integer not null references app_user,
    approver        jsonb not null,                -- the biologist, as he was
    active_from     timestamptz not null
);
create index rule_approval_site on rule_approval (site_id, active_from, id);

-- A verdict for each result, with reasons and the values that were used: of an order as it stood when somebody opened it
-- (the last evaluation of that revision), and of each signature.
create table rule_decision (
    id              bigint generated always as identity primary key,
    legal_entity_id integer not null references legal_entity,
    site_id         integer not null references site,
    order_id        uuid not null references lab_order,
    revision        integer not null,              -- of the order and of the patient's identity: what a screen carries
    rule_set_id     integer not null references rule_set,
    version_id      uuid references report_version deferrable initially deferred, -- of a signature: written before it, with it
    at              timestamptz not null,
    actor           text not null,
    green           integer not null,
    amber           integer not null,
    red             integer not null,
    results         jsonb not null,
    confirmed       jsonb not null                 -- implausible results that were signed all the same, and why
);
create unique index rule_decision_seen on rule_decision (order_id, revision, rule_set_id) where version_id is null;
create unique index rule_decision_signed on rule_decision (version_id) where version_id is not null;

grant select, insert on rule_set, rule_approval, rule_decision to lab_app;
grant update (at, actor, green, amber, red, results) on rule_decision to lab_app;  -- of an evaluation, not of a signature
grant select on rule_set, rule_approval, rule_decision to lab_backup;
grant usage on all sequences in schema public to lab_app;
do $$
declare t text;
begin
    foreach t in array array['rule_approval', 'rule_decision']
    loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format($p$create policy by_site on %I
            using (site_id = any ((select visible_sites())::int[]))
            with check (site_id = any ((select visible_sites())::int[]))$p$, t);
        execute format('create policy backup_reads on %I for select to lab_backup using (true)', t);
    end loop;
end $$;
-- What was signed stays as it was.
create policy signed_stays on rule_decision as restrictive for update using (version_id is null);
