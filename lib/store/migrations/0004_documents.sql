-- Documents and images that came among the results of an order (hl7v2-lab 8.9): the PDF of another laboratory, the
-- histogram of an analyser. Append-only, the same bytes once an order.
create table order_document (
    id              bigint generated always as identity primary key,
    legal_entity_id integer not null,
    site_id         integer not null,
    order_id        uuid not null references lab_order,
    message_id      bigint not null,
    position        integer not null,              -- of the OBX in its message
    code            text not null,                 -- OBX-3 as received
    title           text not null,
    media_type      text not null check (media_type in ('application/pdf', 'image/jpeg', 'image/png', 'image/bmp')),
    sha256          bytea not null,
    content         bytea not null,
    received_at     timestamptz not null,
    unique (order_id, sha256)
);
grant select, insert on order_document to lab_app;
grant select on order_document to lab_backup;
alter table order_document enable row level security;
alter table order_document force row level security;
create policy by_site on order_document
    using (site_id = any ((select visible_sites())::int[]))
    with check (site_id = any ((select visible_sites())::int[]));
create policy backup_reads on order_document for select to lab_backup using (true);
