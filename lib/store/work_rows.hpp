// Work for a person, as rows: whoever finds that something needs one writes it by this statement, in the transaction
// that found it.
#pragma once

#include <optional>
#include <vector>

#include "lib/domain/received.hpp"
#include "lib/store/pg/connection.hpp"
#include "lib/store/pg/params.hpp"

namespace sgl::store {

class WorkRows {
public:
    /// `message`: what brought it; `order`: whose screen shows it, and which it may keep from being signed.
    void add(domain::LegalEntityId legal_entity, domain::SiteId site, const domain::Trouble& trouble,
             const std::optional<domain::MessageId>& message, const std::optional<Uuid>& order);
    /// Adds the statement, when there is work.
    void steps(std::vector<pg::Step>& to, Instant now) const;

private:
    pg::Int4Column entities_;
    pg::Int4Column sites_;
    pg::TextColumn kinds_;
    pg::TextColumn coordinates_;
    pg::TextColumn whats_;
    pg::Int8Column messages_;
    pg::UuidColumn orders_;
};

}  // namespace sgl::store
