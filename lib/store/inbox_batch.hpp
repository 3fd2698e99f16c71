// What messages that are kept together give: their rows, the results that are new, those whose place they take, and the
// work for people. Pure: the inbox reads what the orders have, and writes the steps.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/personal.hpp"
#include "lib/domain/people.hpp"
#include "lib/domain/succession.hpp"
#include "lib/store/audit.hpp"
#include "lib/store/codec.hpp"
#include "lib/store/inbox.hpp"
#include "lib/store/link_state.hpp"
#include "lib/store/replay.hpp"
#include "lib/store/work_rows.hpp"

namespace sgl::store {

/// An order that a number of the message names.
struct MatchedOrder {
    Uuid id;
    std::string state;
    Personal<domain::Traits> traits;  ///< of its patient: birth name, first given name, birth date, sex
    std::string ins;                  ///< his matricule; empty: none
};

/// A result that the order has, or that this very batch gives it.
struct KnownResult {
    std::int64_t id{};  // 0: of this very batch
    std::string status;
    codec::ValueColumns value;
    std::string susceptible;
    std::optional<Instant> measured_at;
    bool replaced{};
    std::optional<std::int64_t> replaces;
    // Its place in the order of arrival:
    Instant received_at;
    std::int64_t message{};
    std::int32_t position{};
    bool is_signed{};  ///< a report says it: it is never replaced, what comes stands beside it

    bool says(const codec::ValueColumns& other, std::string_view other_susceptible) const;
};

/// A result is identified by its order, its analysis (or code) and its run (hl7v2-lab 8.6); a line of a culture by its
/// isolate, too.
struct ResultKey {
    Uuid order;
    std::string analysis;
    std::string run;
    std::string isolate;
    auto operator<=>(const ResultKey&) const = default;
};

/// A result that an order holds until a person looks, or until a later one takes its place.
struct HeldResult {
    std::optional<std::int32_t> analyte;
    std::string code;
    std::string run;
    std::string status;
    std::int64_t message{};
    std::int32_t position{};

    /// Deleted or wrong at the sender (D, W): only a person ends that alarm (hl7v2-lab 8.6). Nor does what it would
    /// have replaced end it: a correction waits for another correction.
    bool yields_to(std::optional<std::int32_t> other_analyte, std::string_view other_code, std::string_view other_run,
                   std::string_view other_status) const;
};

/// What makes two results one analysis: its number in the catalogue, else its code.
std::string analysis_of(std::optional<std::int32_t> analyte, std::string_view code);
/// A result that came too late: an event for a person.
domain::Trouble behind(std::string_view status, std::string coordinate);
/// Nothing when the time is not given to its zone.
std::optional<Instant> instant_of(std::string_view measured_at);

/// Messages with their keys.
struct MessageRows {
    pg::RowArray rows{"arrival_row"};
    LinkRows of_link;

    void add(const Arrival& a, domain::MessageId id, std::string_view state, bool reused);
    void steps(std::vector<pg::Step>& to, Instant now) const;
};

struct ResultRows {
    pg::RowArray rows{"result_row"};

    void add(const Arrival& a, domain::MessageId message, const domain::ReceivedResult& r,
             const codec::ValueColumns& value, std::string_view specimen, const std::optional<Uuid>& order,
             std::string_view state, std::optional<std::int64_t> replaced);
};

struct DocumentRows {
    pg::Int4Column entities;
    pg::Int4Column sites;
    pg::UuidColumn orders;
    pg::Int8Column messages;
    pg::Int4Column positions;
    pg::TextColumn codes;
    pg::TextColumn titles;
    pg::TextColumn types;
    pg::BytesColumn digests;
    pg::BytesColumn contents;
    pg::InstantColumn times;

    void add(const Arrival& a, domain::MessageId message, const domain::ReceivedDocument& d, const Uuid& order);
};

/// Held results whose place a later one took.
struct SupersededRows {
    pg::UuidColumn orders;
    pg::Int8Column messages;
    pg::Int4Column positions;
    pg::TextColumn settlers;
};

struct Before;  // of a message that is read again (replay.cpp)

/// Everything that one batch writes, gathered while the messages are looked at in their order.
class Batch {
public:
    explicit Batch(Instant now) : now_(now) {}

    /// The two steps that read, and lock, the orders which these numbers name, with their results; learn() takes their
    /// rows.
    static void look(std::vector<pg::Step>& to, const pg::Int4Column& sites, const pg::TextColumn& numbers);
    void learn(const pg::Rows& orders, const pg::Rows& results);
    /// The batch is one message that is read again: nothing is done twice (replay.hpp). `before` outlives the batch.
    void again(const Before& before) { before_ = &before; }

    void apply(const Arrival& arrival, domain::MessageId id, const std::vector<std::size_t>& first_number_of_group,
               bool reused);

    std::vector<pg::Step> steps() const;
    const Replayed& outcome() const { return outcome_; }  ///< of a message that is read again

private:
    /// The order that the numbers of a group name; `ambiguous` when they name more than one: then none is trusted.
    struct Match {
        const MatchedOrder* order{};
        std::size_t number{};  ///< which of the group's numbers named it first
        bool ambiguous{};
    };
    Match match(const domain::ReceivedGroup& group, std::size_t first_number) const;

    /// Whose order each OBX is part of, so that the work which it gives can be found from there.
    std::map<std::string, Uuid> orders_of(const Arrival& arrival,
                                          const std::vector<std::size_t>& first_number_of_group) const;

    /// False when a person has work with it.
    bool apply_group(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group,
                     std::size_t first_number);

    bool apply_result(const Arrival& arrival, domain::MessageId id, const domain::ReceivedResult& result,
                      std::string_view specimen, const Uuid& order, bool signed_already);

    /// Did a biologist report this analysis for good, though the rest of the order is still awaited?
    bool is_signed(const domain::ReceivedResult& result, const Uuid& order) const;
    static ResultKey key_of(const domain::ReceivedResult& result, const Uuid& order);

    /// The stored result that a held one of status D or W takes away: the last that may be of the same time. A
    /// withdrawal of another time takes nothing, for what it means may still come: it holds the order for a person.
    std::optional<std::int64_t> withdrawn_by(const Arrival& arrival, domain::MessageId id,
                                             const domain::ReceivedResult& result, const Uuid& order);

    /// A result that can be taken ends what was held of the same analysis and run; true when something was.
    bool supersede(const Arrival& arrival, const domain::ReceivedResult& result, const Uuid& order);

    static std::string coordinate(const domain::ReceivedResult& result);

    void hold(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group,
              const domain::Trouble& trouble, const std::optional<Uuid>& order);

    void work(const Arrival& arrival, domain::MessageId id, const domain::Trouble& trouble,
              const std::optional<Uuid>& order);

    void hold_results(const Arrival& arrival, domain::MessageId id, const domain::ReceivedGroup& group);
    /// False: it is held already, just so.
    bool hold_result(const Arrival& arrival, domain::MessageId id, const domain::ReceivedResult& result,
                     std::string_view specimen, const std::optional<Uuid>& order, std::optional<std::int64_t> replaced);

    // ── The place in time (replay.cpp) ──
    // A message that is read again stands where it arrived: it is judged by what came before it, and what came after it
    // is judged with it.

    /// Behind all that came before; the end, but for a message that is read again.
    std::size_t place_of(const std::vector<KnownResult>& known, const Arrival& arrival, domain::MessageId id,
                         std::int32_t position) const;
    /// The first `count` of them, as they stood then.
    static std::vector<domain::Earlier> earlier_of(const std::vector<KnownResult>& known, std::size_t count,
                                                   const codec::ValueColumns& value, std::string_view susceptible);
    /// What came later says the same, and as surely: had it come after this one, it would be the repeat.
    static bool said_later(const std::vector<KnownResult>& known, std::size_t here, const KnownResult& mine);
    /// What came later, judged again with `mine` before it: it takes its place, or would not have been taken.
    void give_way(const Arrival& arrival, const Uuid& order, std::vector<KnownResult>& known, std::size_t here,
                  KnownResult& mine);

    // ── A message that is read again (replay.cpp) ──

    /// The OBX went its way: nothing of it changes, but for what refresh() brings.
    bool is_done(const domain::ReceivedResult& result) const;
    bool nothing_left(const domain::ReceivedGroup& group) const;
    /// A held one: of this very message, which is judged anew, or of one that came later.
    bool waits_for_its_turn(const KnownResult& held) const;
    bool is_kept(const domain::ReceivedDocument& document) const;
    /// Already in the work to do, or about a result that went its way.
    bool told_before(const domain::Trouble& trouble);
    bool held_before(const domain::ReceivedResult& result, const codec::ValueColumns& value,
                     const std::optional<Uuid>& order, std::optional<std::int64_t> replaced);
    /// A result that went its way: what the link says of its flags now counts, its value stays what it was.
    void refresh(const Arrival& arrival, domain::MessageId id, const domain::ReceivedResult& result,
                 std::string_view specimen, const Uuid& order);
    /// What was held and is not any more, and work that is mended.
    void settle(const Arrival& arrival, domain::MessageId id, std::string_view state);
    void settling_steps(std::vector<pg::Step>& steps) const;

    Instant now_;
    std::map<std::size_t, std::vector<MatchedOrder>> matches_;
    std::map<ResultKey, std::vector<KnownResult>> known_;
    std::set<std::tuple<Uuid, std::string, std::string>> signed_;  ///< order, analysis, isolate; not the preliminary ones
    std::map<Uuid, std::vector<HeldResult>> held_;
    MessageRows messages_;
    ResultRows results_;
    WorkRows work_;
    SupersededRows superseded_;
    DocumentRows documents_;
    std::set<Uuid> touched_;
    std::set<Uuid> wrong_;  // orders that hold a result of somebody else
    std::vector<AuditEvent> events_;

    const Before* before_{};  // of a message that is read again
    Replayed outcome_;
    std::set<std::pair<std::string, std::string>> told_;  // kind and coordinate of each trouble
    std::set<std::int64_t> kept_;                         // held rows that stay as they are
    pg::Int8Column released_;
    pg::Int8Column mended_;
    pg::Int8Column reworded_;
    pg::TextColumn new_words_;
    pg::Int8Column behind_;
    pg::Int8Column behind_messages_;
    pg::Int4Column behind_positions_;
    pg::UuidColumn behind_orders_;
    pg::Int8Column overtaken_;
};

}  // namespace sgl::store
