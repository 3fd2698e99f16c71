#include "hl7/parents.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "hl7/segments.hpp"
#include "lib/base/text.hpp"

namespace sgl::hl7 {

namespace {

// More orders or observations than this behind one number or code can't be told apart in reasonable time.
constexpr std::size_t most_candidates = 256;

EntityPair numbers_of(const OrderGroup& order) {
    const Obr obr{order.obr};
    const Orc orc{order.orc};
    EntityPair numbers{obr.placer_order_number().value(), obr.filler_order_number().value()};
    if (numbers.placer.empty()) numbers.placer = orc.placer_order_number().value();
    if (numbers.filler.empty()) numbers.filler = orc.filler_order_number().value();
    return numbers;
}

bool compatible(std::string_view a, std::string_view b) {
    a = trim(a);
    b = trim(b);
    return a.empty() || b.empty() || a == b;
}

bool same(const EntityIdentifier& a, const EntityIdentifier& b) {
    return trim(a.id) == trim(b.id) && compatible(a.authority.name, b.authority.name) &&
           compatible(a.authority.oid, b.authority.oid);
}

/// Every number that both have is the same, and there is one.
bool agree(const EntityPair& a, const EntityPair& b) {
    const bool placers = !a.placer.empty() && !b.placer.empty();
    const bool fillers = !a.filler.empty() && !b.filler.empty();
    return (placers || fillers) && (!placers || same(a.placer, b.placer)) && (!fillers || same(a.filler, b.filler));
}

struct Triplet {
    std::string_view id, text, system;

    /// What it is known by; empty when it says nothing.
    std::string key() const {
        if (const auto code = trim(id); !code.empty()) return std::string(1, 'i').append(code);
        const auto name = trim(text);
        return name.empty() ? std::string() : std::string(1, 't').append(name);
    }
};

std::array<Triplet, 2> triplets(const Coded& coded) {
    return {Triplet{coded.id, coded.text, coded.system},
            Triplet{coded.alternate_id, coded.alternate_text, coded.alternate_system}};
}

bool same_code(const Coded& a, const Coded& b) {
    for (const auto& one : triplets(a)) {
        for (const auto& other : triplets(b)) {
            if (!one.key().empty() && one.key() == other.key() && compatible(one.system, other.system)) return true;
        }
    }
    return false;
}

/// What OBX-5 calls the organism, as texts are compared.
std::set<std::string> names_in(const Segment& obx) {
    std::set<std::string> names;
    for (const auto& value : Obx{obx}.observation_value().repetitions()) {
        const auto coded = read_coded(value);
        for (const auto& text : {coded.text, coded.alternate_text, coded.original_text})
            names.insert(normalised_name(text));
        if (value.size() == 1) names.insert(normalised_name(value.text()));
    }
    names.erase("");
    return names;
}

class ParentFinder {
public:
    explicit ParentFinder(PatientGroup& patient) : patient_(patient) {}

    void run() {
        links_.reserve(patient_.orders.size());
        for (const auto& order : patient_.orders)
            links_.push_back(parent_of(order));
        if (std::ranges::all_of(links_, [](const auto& link) { return link.empty(); })) return;
        for (std::size_t i = 0; i < patient_.orders.size(); ++i)
            know(i);
        for (std::size_t i = 0; i < patient_.orders.size(); ++i) {
            if (!links_[i].empty()) patient_.orders[i].parent = find(i);
        }
    }

private:
    using State = Parent::State;
    struct Place {
        std::size_t order{};
        std::size_t observation{};
        bool operator==(const Place&) const = default;
    };

    static std::string key(std::string_view kind, std::string_view first, std::string_view second = {}) {
        std::string joined(kind);
        joined.append(first).append(1, '\x1f').append(second);
        return joined;
    }

    static std::string in_order(std::size_t order, const std::string& key) { return std::to_string(order) + key; }

    void know(std::size_t order) {
        numbers_.push_back(numbers_of(patient_.orders[order]));
        orders_[key("P", trim(numbers_.back().placer.id))].push_back(order);
        orders_[key("F", trim(numbers_.back().filler.id))].push_back(order);
        const auto& observations = patient_.orders[order].observations;
        for (std::size_t i = 0; i < observations.size(); ++i) {
            const auto coded = Obx{observations[i].obx}.observation_identifier().value();
            const auto sub_id = sub_id_of(observations[i].obx);
            const auto names = names_in(observations[i].obx);
            std::set<std::string> keys;
            for (const auto& name : names)
                keys.insert(key("N", {}, name));
            for (const auto& triplet : triplets(coded)) {
                const auto code = triplet.key();
                if (code.empty()) continue;
                keys.insert(key("S", code, sub_id));
                for (const auto& name : names)
                    keys.insert(key("N", code, name));
            }
            for (const auto& one : keys) {
                places_[one].push_back({order, i});
                places_[in_order(order, one)].push_back({order, i});
            }
        }
    }

    const Segment& obx(const Place& place) const {
        return patient_.orders[place.order].observations[place.observation].obx;
    }

    /// The orders that OBR-29 may mean; nothing when there are too many to tell.
    std::optional<std::vector<std::size_t>> orders_named(const EntityPair& wanted, std::size_t child) const {
        std::vector<std::size_t> named;
        for (const auto& [kind, id] :
             {std::pair{"F", trim(wanted.filler.id)}, std::pair{"P", trim(wanted.placer.id)}}) {
            if (id.empty() || !named.empty()) continue;
            const auto found = orders_.find(key(kind, id));
            if (found == orders_.end()) continue;
            if (found->second.size() > most_candidates) return std::nullopt;
            for (const auto order : found->second) {
                if (order != child && agree(wanted, numbers_[order])) named.push_back(order);
            }
        }
        return named;
    }

    /// The observations known by one of the keys, in those orders (in any other than the child when none is given).
    std::optional<std::vector<Place>> places(const std::vector<std::string>& keys,
                                             const std::optional<std::vector<std::size_t>>& within,
                                             std::size_t child) const {
        std::vector<Place> all;
        const auto take = [&](const std::string& one) {
            const auto found = places_.find(one);
            if (found == places_.end()) return true;
            if (found->second.size() > most_candidates) return false;
            for (const auto& place : found->second) {
                if (place.order != child && std::ranges::find(all, place) == all.end()) all.push_back(place);
            }
            return true;
        };
        for (const auto& one : keys) {
            if (!within) {
                if (!take(one)) return std::nullopt;
                continue;
            }
            for (const auto order : *within) {
                if (!take(in_order(order, one))) return std::nullopt;
            }
        }
        return all;
    }

    Parent find(std::size_t child) const {
        const auto& link = links_[child];
        if (link.order.empty()) return find_result(link.result, std::nullopt, child);
        auto named = orders_named(link.order, child);
        if (!named) return {State::ambiguous, 0, {}};
        auto& candidates = *named;
        if (candidates.empty()) return {State::elsewhere, 0, {}};
        if (!link.result.empty()) return find_result(link.result, named, child);
        // Children of one parent often share its numbers: the parent is the one that is no child.
        if (candidates.size() > 1) std::erase_if(candidates, [&](std::size_t order) { return !links_[order].empty(); });
        if (candidates.size() != 1) return {State::ambiguous, 0, {}};
        return {State::found, candidates.front(), {}};
    }

    Parent find_result(const ParentResult& wanted, const std::optional<std::vector<std::size_t>>& within,
                       std::size_t child) const {
        const std::string sub_id(trim(wanted.sub_id));
        const auto name = normalised_name(wanted.text);
        std::vector<std::string> by_sub_id;
        std::vector<std::string> by_name;
        bool coded = false;
        for (const auto& triplet : triplets(wanted.observation)) {
            const auto code = triplet.key();
            if (code.empty()) continue;
            coded = true;
            by_sub_id.push_back(key("S", code, sub_id));
            by_name.push_back(key("N", code, name));
        }
        if (!coded) by_name.push_back(key("N", {}, name));
        auto named = name.empty() ? std::vector<Place>{} : places(by_name, within, child);
        auto hits = places(by_sub_id, within, child);
        if (!named || !hits) return {State::ambiguous, 0, {}};
        const auto other_code = [&](const Place& place) {
            return coded && !same_code(wanted.observation, Obx{obx(place)}.observation_identifier().value());
        };
        std::erase_if(*named, other_code);
        std::erase_if(*hits, other_code);
        const auto is_named = [&](const Place& place) { return std::ranges::find(*named, place) != named->end(); };
        if (!sub_id.empty() && !hits->empty()) {
            // The sub-identifier says one isolate and the text the name of another.
            if (!named->empty() && std::ranges::none_of(*hits, is_named)) return {State::ambiguous, 0, {}};
        } else if (!name.empty()) {
            hits = *named;
            std::erase_if(*hits, [&](const Place& place) {
                const auto theirs = sub_id_of(obx(place));
                return !sub_id.empty() && theirs != sub_id && (!coded || !theirs.empty());
            });
        }
        return only(*hits, is_named);
    }

    /// Several parts of one result, of the same OBX-4, are one parent; anything else must be alone.
    template <class IsNamed>
    Parent only(const std::vector<Place>& hits, IsNamed is_named) const {
        if (hits.empty()) return {State::unmatched, 0, {}};
        const auto unit = sub_id_of(obx(hits.front()));
        const bool one_unit = std::ranges::all_of(hits, [&](const Place& place) {
            return place.order == hits.front().order && !unit.empty() && sub_id_of(obx(place)) == unit;
        });
        if (hits.size() > 1 && !one_unit) return {State::ambiguous, 0, {}};
        const auto best = std::ranges::find_if(hits, is_named);
        const auto& chosen = best == hits.end() ? hits.front() : *best;
        return {State::found, chosen.order, chosen.observation};
    }

    PatientGroup& patient_;
    std::vector<ParentLink> links_;
    std::vector<EntityPair> numbers_;
    std::unordered_map<std::string, std::vector<std::size_t>> orders_;
    std::unordered_map<std::string, std::vector<Place>> places_;
};

void find_levels(std::vector<ObservationGroup>& observations) {
    const auto dotted = [](const ObservationGroup& one) {
        return one.obx.field(4).raw().find('.') != std::string_view::npos;
    };
    if (std::ranges::none_of(observations, dotted)) return;
    std::unordered_map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < observations.size(); ++i)
        first.try_emplace(sub_id_of(observations[i].obx), i);
    for (auto& one : observations) {
        auto level = sub_id_of(one.obx);
        for (auto dot = level.rfind('.'); dot != std::string::npos && !one.above; dot = level.rfind('.')) {
            level.resize(dot);
            if (const auto found = first.find(level); !level.empty() && found != first.end()) one.above = found->second;
        }
    }
}

}  // namespace

ParentLink parent_of(const OrderGroup& order) {
    const Obr obr{order.obr};
    ParentLink link{obr.parent().value(), obr.parent_result().value()};
    if (link.order.empty()) link.order = Orc{order.orc}.parent().value();
    return link;
}

std::string sub_id_of(const Segment& obx) {
    const auto sub_id = Obx{obx}.observation_sub_id().repetition(0);
    const auto part = [&](std::size_t number) { return std::string(trim(sub_id.component(number).text())); };
    auto text = part(1);
    if (!text.empty()) return text;
    text = part(2);
    if (const auto sequence = part(3); !sequence.empty()) text += '.' + sequence;
    return text;
}

void find_parents(PatientGroup& patient) {
    ParentFinder(patient).run();
    for (auto& order : patient.orders)
        find_levels(order.observations);
}

}  // namespace sgl::hl7
