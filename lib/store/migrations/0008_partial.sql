-- Partial reports: signed while examinations are awaited, replaced by the version that completes them (lab-domain 3.4).

alter table report_version
    add column awaited jsonb not null default '[]',  -- of a partial one: what is still to come, as it was announced
    add constraint report_version_kind check (kind in ('partial', 'final', 'amended')),
    add constraint report_version_awaited check ((kind = 'partial') = (awaited <> '[]'));
-- A set is complete once, whatever replaces it later: the account counts these.
create unique index report_version_final on report_version (set_id) where kind = 'final';

alter table lab_order
    drop constraint lab_order_state_check,
    add constraint lab_order_state_check check (state in ('registered', 'in_progress', 'partially_reported', 'fully_validated',
                                                          'reported', 'cancelled')),
    drop constraint lab_order_check,
    add constraint lab_order_closed check ((closed_at is null) = (state in ('registered', 'in_progress', 'partially_reported')));
