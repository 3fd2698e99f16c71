#include "lib/domain/order_request.hpp"

#include <algorithm>

#include "lib/domain/order_correction.hpp"
#include "lib/domain/order_news.hpp"

namespace sgl::domain {

namespace {

using enum OrderControl;

bool wanted(const RequestedExam& exam) {
    return exam.state == ExamState::requested;
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
    return std::ranges::find(list, item) != list.end();
}

bool same_person(const Professional& a, const Professional& b) {
    if (!a.rpps.empty() && !b.rpps.empty()) return a.rpps == b.rpps;
    return a.family == b.family && a.given == b.given;
}

bool is_nobody(const Professional& person) {
    return person.rpps.empty() && person.family.empty();
}

struct Found {
    std::size_t order{};
    std::size_t exam{};
};

class Deciding {
public:
    Deciding(const OrderRequest& request, std::vector<KnownOrder> known, const Catalogue& catalogue)
        : request_(request), catalogue_(catalogue) {
        done_.orders = std::move(known);
        for (auto& order : done_.orders)
            order.known_exams = order.exams.size();
    }

    Decision decide() {
        take_lines();
        return std::move(done_);
    }

    DeskDecision decide_with(const std::optional<OrderCorrection>& correction) {
        if (correction) correct(*correction);
        take_lines();
        DeskDecision all{std::move(done_), std::move(corrections_), std::move(renamed_)};
        return all;
    }

private:
    void take_lines() {
        done_.lines.resize(request_.lines.size());
        for (std::size_t i = 0; i < request_.lines.size();) {
            if (request_.lines[i].control == replace) {
                i = take_replacement(i);
                continue;
            }
            done_.lines[i] = take(i);
            ++i;
        }
        give_tubes_to_fresh_order();
        for (auto& order : done_.orders)
            merge_header(order);
        refuse_tubes();
        for (auto& order : done_.orders)
            close_or_reopen(order);
    }

    const LineRequest& line(std::size_t at) const { return request_.lines[at]; }

    // ── answers ──

    LineOutcome refuse(const LineRequest& line, LineRefusal why, std::string coordinate) const {
        LineOutcome outcome;
        outcome.refusal = why;
        outcome.coordinate = std::move(coordinate);
        outcome.late = why == LineRefusal::has_results || why == LineRefusal::validated;
        if (const auto found = find(line)) {
            outcome.order = found->order;
            outcome.status = status_of(*found);
            outcome.filler = exam(*found).filler_number;
        }
        return outcome;
    }
    LineOutcome accept(const Found& found) const {
        LineOutcome outcome;
        outcome.order = found.order;
        outcome.status = status_of(found);
        outcome.filler = exam(found).filler_number;
        return outcome;
    }
    LineOutcome accept_order(std::size_t order, LineStatus status) const {
        LineOutcome outcome;
        outcome.order = order;
        outcome.status = status;
        return outcome;
    }

    LineStatus status_of(const Found& found) const {
        const auto& order = done_.orders[found.order];
        switch (exam(found).state) {
            case ExamState::cancelled:
            case ExamState::not_done:
                return LineStatus::cancelled;
            case ExamState::replaced:
                return LineStatus::replaced;
            case ExamState::requested:
                break;
        }
        if (!order.open() && order.state != OrderState::cancelled) return LineStatus::completed;
        return has_results(order, exam(found)) ? LineStatus::in_process : LineStatus::scheduled;
    }

    // ── looking ──

    const RequestedExam& exam(const Found& found) const { return done_.orders[found.order].exams[found.exam]; }
    RequestedExam& exam(const Found& found) { return done_.orders[found.order].exams[found.exam]; }
    KnownOrder& order(const Found& found) { return done_.orders[found.order]; }

    /// The line that is meant: by its placer number, else by its own filler number, else by the order's number and the
    /// examination. One that is still wanted comes before what was cancelled or replaced under the same number.
    std::optional<Found> find(const LineRequest& line) const {
        std::optional<Found> best;
        const auto look = [&](auto matches) {
            for (std::size_t o = 0; o < done_.orders.size() && !best; ++o)
                look_in(o, matches, true, best);
            for (std::size_t o = 0; o < done_.orders.size() && !best; ++o)
                look_in(o, matches, false, best);
        };
        if (const auto& placer = line.exam.placer_number; !placer.empty()) {
            look([&](const KnownOrder&, const RequestedExam& e) { return e.placer_number == placer; });
            return best;
        }
        if (line.filler.empty()) return best;
        look([&](const KnownOrder&, const RequestedExam& e) { return e.filler_number == line.filler; });
        if (best || line.exam.code.empty()) return best;
        look([&](const KnownOrder& o, const RequestedExam& e) {
            return o.number == line.filler && e.code == line.exam.code;
        });
        return best;
    }
    template <class Matches>
    void look_in(std::size_t at, const Matches& matches, bool only_wanted, std::optional<Found>& best) const {
        const auto& order = done_.orders[at];
        for (std::size_t e = 0; e < order.exams.size(); ++e) {
            if (only_wanted && !wanted(order.exams[e])) continue;
            if (matches(order, order.exams[e])) {
                best = Found{at, e};
                return;
            }
        }
    }

    bool has_results(const KnownOrder& order, const RequestedExam& exam) const {
        const auto members = catalogue_.ordered(exam.code);
        if (members.empty()) return order.measured.contains(exam.code);
        return std::ranges::any_of(members,
                                   [&](const Analyte* member) { return order.measured.contains(member->local_code); });
    }

    // ── each act ──

    LineOutcome take(std::size_t at) {
        const auto& line = this->line(at);
        if (line.refused != LineRefusal::none) return refuse(line, line.refused, place_of(line, line.refused));
        switch (line.control) {
            case OrderControl::order:
            case child:
                return add(line, std::nullopt);
            case cancel:
                return take_away(line);
            case change:
                return revise(line);
            case send_number:
                if (const auto found = find(line)) return mine(line, *found, [&] { return accept(*found); });
                return add(line, std::nullopt);
            case number:
                return numbered(line);
            case status:
            case ask_status:
                return known(line);
            case parent:
                return stands_above(line, at);
            case replacement:
                return refuse(line, LineRefusal::not_replaced, line.at + "-1");
            case discontinue:
            case hold:
            case release:
                return refuse(line, LineRefusal::unsupported, line.at + "-1");
            case replace:
            case other:
                break;
        }
        return refuse(line, LineRefusal::not_a_request, line.at + "-1");
    }

    static std::string place_of(const LineRequest& line, LineRefusal why) {
        return why == LineRefusal::charset ? "MSH-18" : line.at;
    }

    /// `act` only on what belongs to the patient of the message.
    template <class Act>
    LineOutcome mine(const LineRequest& line, const Found& found, Act act) {
        if (!order(found).same_patient) return someone_else(line, line.at + "-2");
        return act();
    }
    LineOutcome someone_else(const LineRequest&, std::string coordinate) const {
        // Nothing of somebody else's order is told.
        LineOutcome outcome;
        outcome.refusal = LineRefusal::other_patient;
        outcome.coordinate = std::move(coordinate);
        return outcome;
    }

    LineOutcome add(const LineRequest& line, std::optional<std::size_t> into, bool again = false) {
        if (line.obr_at.empty()) return refuse(line, LineRefusal::no_examination, line.at);
        if (line.exam.code.empty()) return refuse(line, LineRefusal::no_examination, line.obr_at + "-4");
        if (line.exam.placer_number.empty()) return refuse(line, LineRefusal::no_number, line.at + "-2");
        if (const auto found = find(line); found && !(again && !wanted(exam(*found)))) {
            if (!order(*found).same_patient) return someone_else(line, line.obr_at + "-2");
            return same_line_again(line, *found) ? another_tube(line, *found)
                                                 : refuse(line, LineRefusal::known_number, line.obr_at + "-2");
        }
        std::optional<std::size_t> target = into;
        if (!target) {
            LineOutcome refusal;
            target = where_it_belongs(line, refusal);
            if (refusal.refusal != LineRefusal::none) return refusal;
        }
        if (const auto why = tubes_elsewhere(line, target); why != LineRefusal::none) return refuse(line, why, "SPM-2");
        const std::size_t at = target ? *target : fresh();
        auto& order = done_.orders[at];
        auto added = line.exam;
        // The registration gives either the number of the order, the same in each line, or one to each line.
        if (order.fresh && order.number.empty() && order.exams.empty()) order.number = line.filler;
        if (!line.filler.empty() && line.filler != order.number) added.filler_number = line.filler;
        give_tubes(order, line.exam.specimens);
        touch(order, "add " + added.placer_number);
        order.exams.push_back(std::move(added));
        return accept({at, order.exams.size() - 1});
    }

    /// One order with several specimens, in a message that goes specimen by specimen: the line comes once for each.
    bool same_line_again(const LineRequest& line, const Found& found) const {
        const auto& there = exam(found);
        return done_.orders[found.order].fresh && there.code == line.exam.code && !line.exam.specimens.empty() &&
               std::ranges::none_of(line.exam.specimens,
                                    [&](const std::string& tube) { return contains(there.specimens, tube); });
    }
    LineOutcome another_tube(const LineRequest& line, const Found& found) {
        if (const auto why = tubes_elsewhere(line, found.order); why != LineRefusal::none)
            return refuse(line, why, "SPM-2");
        for (const auto& tube : line.exam.specimens)
            exam(found).specimens.push_back(tube);
        give_tubes(order(found), line.exam.specimens);
        return accept(found);
    }

    /// A tube is of one order.
    LineRefusal tubes_elsewhere(const LineRequest& line, std::optional<std::size_t> here) const {
        for (std::size_t o = 0; o < done_.orders.size(); ++o) {
            const auto& order = done_.orders[o];
            if (here ? *here == o : order.fresh) continue;
            const bool there = std::ranges::any_of(order.specimens, [&](const Specimen& specimen) {
                return contains(line.exam.specimens, specimen.number);
            });
            if (there) return order.same_patient ? LineRefusal::two_orders : LineRefusal::tube_of_another;
        }
        return LineRefusal::none;
    }

    std::optional<std::size_t> where_it_belongs(const LineRequest& line, LineOutcome& refusal) const {
        std::optional<std::size_t> target;
        const auto say = [&](LineRefusal why, std::string coordinate) {
            refusal.refusal = why;
            refusal.coordinate = std::move(coordinate);
            refusal.late = why == LineRefusal::validated;
        };
        for (std::size_t o = 0; o < done_.orders.size(); ++o) {
            const auto& order = done_.orders[o];
            const bool has_tube = std::ranges::any_of(line.exam.specimens, [&](const std::string& tube) {
                return std::ranges::find(order.specimens, tube, &Specimen::number) != order.specimens.end();
            });
            if (!has_tube) continue;
            if (!order.same_patient) {
                say(LineRefusal::tube_of_another, "SPM-2");
                return std::nullopt;
            }
            if (target) {
                say(LineRefusal::two_orders, "SPM-2");
                return std::nullopt;
            }
            target = o;
        }
        const auto first = [&](auto matches, bool only_open) {
            for (std::size_t o = 0; o < done_.orders.size() && !target; ++o) {
                const auto& order = done_.orders[o];
                if (!order.fresh && matches(order) && (order.open() || !only_open)) target = o;
            }
        };
        if (!line.exam.parent.empty()) {
            first(
                [&](const KnownOrder& order) { return order.same_patient && contains_number(order, line.exam.parent); },
                false);
        }
        if (!line.filler.empty())
            first(
                [&](const KnownOrder& order) { return order.number == line.filler || has_filler(order, line.filler); },
                false);
        // A prescription may go on in a later message; one that was signed is closed, what comes then is a new order.
        if (!line.group.empty()) {
            first([&](const KnownOrder& order) { return order.same_patient && order.group == line.group; }, true);
        }
        if (!target) return target;
        const auto& order = done_.orders[*target];
        if (!order.same_patient)
            say(LineRefusal::known_number, line.obr_at + "-3");
        else if (!order.open() && order.state != OrderState::cancelled)
            say(LineRefusal::validated, line.at);
        return target;
    }
    static bool has_filler(const KnownOrder& order, const std::string& number) {
        return std::ranges::find(order.exams, number, &RequestedExam::filler_number) != order.exams.end();
    }
    static bool contains_number(const KnownOrder& order, const std::string& placer) {
        return std::ranges::find(order.exams, placer, &RequestedExam::placer_number) != order.exams.end();
    }

    std::size_t fresh() {
        if (!done_.orders.empty() && done_.orders.back().fresh) return done_.orders.size() - 1;
        KnownOrder made;
        made.fresh = true;
        made.same_patient = true;
        made.group = request_.order.group_number;
        made.prescriber = request_.order.prescriber;
        made.copies = request_.order.copies;
        made.clinical_context = request_.order.clinical_context;
        made.urgent = request_.order.urgent;
        done_.orders.push_back(std::move(made));
        return done_.orders.size() - 1;
    }

    /// Why a line can't be taken away or changed any more; none when it can.
    LineRefusal settled(const Found& found) {
        const auto& there = order(found);
        if (!there.open() && there.state != OrderState::cancelled) return LineRefusal::validated;
        return has_results(there, exam(found)) ? LineRefusal::has_results : LineRefusal::none;
    }

    LineOutcome take_away(const LineRequest& line) {
        const auto found = find(line);
        if (!found) {
            if (line.exam.placer_number.empty() && line.obr_at.empty()) return cancel_whole(line);
            return refuse(line, LineRefusal::unknown_number, line.at + "-2");
        }
        return mine(line, *found, [&] {
            if (exam(*found).state == ExamState::cancelled) return accept(*found);  // said twice
            if (const auto why = settled(*found); why != LineRefusal::none) return refuse(line, why, line.at);
            end(*found, ExamState::cancelled, line.reason, "cancel");
            return accept(*found);
        });
    }

    /// ORC-4 or ORC-3 alone: everything, or nothing when a part of it can't be cancelled any more.
    LineOutcome cancel_whole(const LineRequest& line) {
        const auto meant = [&](const KnownOrder& order) {
            if (!line.filler.empty()) return order.number == line.filler;
            return !line.group.empty() && order.same_patient && order.group == line.group;
        };
        std::optional<std::size_t> any;
        for (std::size_t o = 0; o < done_.orders.size(); ++o) {
            auto& order = done_.orders[o];
            if (!meant(order)) continue;
            if (!order.same_patient) return someone_else(line, line.at + "-3");
            any = o;
            for (std::size_t e = 0; e < order.exams.size(); ++e) {
                if (!wanted(order.exams[e])) continue;
                if (const auto why = settled({o, e}); why != LineRefusal::none) {
                    LineOutcome outcome = accept_order(o, status_of({o, e}));
                    outcome.refusal = why;
                    outcome.coordinate = line.at;
                    outcome.late = true;
                    return outcome;
                }
            }
        }
        if (!any) return refuse(line, LineRefusal::unknown_number, line.at + (line.filler.empty() ? "-4" : "-3"));
        for (std::size_t o = 0; o < done_.orders.size(); ++o) {
            if (!meant(done_.orders[o])) continue;
            for (std::size_t e = 0; e < done_.orders[o].exams.size(); ++e) {
                if (wanted(done_.orders[o].exams[e])) end({o, e}, ExamState::cancelled, line.reason, "cancel");
            }
        }
        return accept_order(*any, LineStatus::cancelled);
    }

    void end(const Found& found, ExamState state, const std::string& reason, std::string_view act) {
        auto& ended = exam(found);
        ended.state = state;
        ended.reason = reason;
        touch(order(found), std::string(act) + " " + ended.placer_number);
    }

    LineOutcome revise(const LineRequest& line) {
        if (line.drop) return take_away(line);
        const auto found = find(line);
        if (!found) {
            LineOutcome refusal;
            const auto target = line.exam.code.empty() ? std::nullopt : where_it_belongs(line, refusal);
            if (refusal.refusal != LineRefusal::none) return refusal;
            if (!target) return refuse(line, LineRefusal::unknown_number, line.at + "-2");
            return add(line, target);
        }
        return mine(line, *found, [&] {
            auto& there = exam(*found);
            if (there.state == ExamState::cancelled || there.state == ExamState::replaced)
                return refuse(line, LineRefusal::cancelled_already, line.at);
            if (const auto& whole = order(*found); !whole.open() && whole.state != OrderState::cancelled)
                return refuse(line, LineRefusal::validated, line.at);
            if (const auto why = tubes_elsewhere(line, found->order); why != LineRefusal::none)
                return refuse(line, why, "SPM-2");
            const bool other_exam = !line.exam.code.empty() && line.exam.code != there.code;
            if (other_exam && has_results(order(*found), there))
                return refuse(line, LineRefusal::has_results, line.obr_at + "-4");
            if (other_exam) {
                there.code = line.exam.code;
                there.label = line.exam.label;
            }
            const bool other_tubes = !line.exam.specimens.empty() && line.exam.specimens != there.specimens;
            if (other_tubes) {
                there.specimens = line.exam.specimens;
                give_tubes(order(*found), line.exam.specimens);
            }
            if (there.state == ExamState::not_done && (other_tubes || other_exam)) ask_again(*found);
            if (line.urgent) order(*found).urgent = *line.urgent;
            touch(order(*found), "change " + there.placer_number);
            return accept(*found);
        });
    }

    void ask_again(const Found& found) {
        auto& there = exam(found);
        there.state = ExamState::requested;
        there.reason.clear();
        for (const auto* member : catalogue_.ordered(there.code))
            order(found).asked_again.push_back(member->local_code);
    }

    /// RP RP… RO RO…: taken together. RP alone replaces by its own examination, under its own number.
    std::size_t take_replacement(std::size_t first) {
        std::size_t ro = first;
        while (ro < request_.lines.size() && line(ro).control == replace)
            ++ro;
        std::size_t end = ro;
        while (end < request_.lines.size() && line(end).control == replacement)
            ++end;

        const Decision before = done_;
        bool refused = false;
        std::optional<std::size_t> into;
        for (std::size_t i = first; i < ro; ++i) {
            done_.lines[i] = replaced(line(i), ro == end);
            refused = refused || done_.lines[i].refusal != LineRefusal::none;
            if (!into) into = done_.lines[i].order;
        }
        for (std::size_t i = ro; i < end && !refused; ++i) {
            const auto& with = line(i);
            done_.lines[i] = with.refused != LineRefusal::none
                                 ? refuse(with, with.refused, place_of(with, with.refused))
                                 : add(with, into, true);
            refused = done_.lines[i].refusal != LineRefusal::none;
        }
        if (refused && end > ro) take_back(before, first, ro, end);
        return end;
    }
    void take_back(const Decision& before, std::size_t first, std::size_t ro, std::size_t end) {
        std::vector<LineOutcome> said(done_.lines.begin() + static_cast<std::ptrdiff_t>(first),
                                      done_.lines.begin() + static_cast<std::ptrdiff_t>(end));
        done_ = before;
        for (std::size_t i = first; i < end; ++i) {
            auto& outcome = said[i - first];
            if (outcome.refusal == LineRefusal::none) {
                outcome =
                    refuse(line(i), i < ro ? LineRefusal::refused_replacement : LineRefusal::not_replaced, line(i).at);
            }
            done_.lines[i] = std::move(outcome);
        }
    }
    LineOutcome replaced(const LineRequest& line, bool by_itself) {
        if (line.refused != LineRefusal::none) return refuse(line, line.refused, place_of(line, line.refused));
        const auto found = find(line);
        if (!found) return refuse(line, LineRefusal::unknown_number, line.at + "-2");
        return mine(line, *found, [&] {
            if (!wanted(exam(*found)) && exam(*found).state != ExamState::not_done)
                return refuse(line, LineRefusal::cancelled_already, line.at);
            if (const auto why = settled(*found); why != LineRefusal::none) return refuse(line, why, line.at);
            if (by_itself && line.exam.code.empty())
                return refuse(line, LineRefusal::no_examination, line.obr_at.empty() ? line.at : line.obr_at + "-4");
            auto with = line;
            if (with.exam.placer_number.empty()) with.exam.placer_number = exam(*found).placer_number;
            const auto ended = exam(*found);
            end(*found, ExamState::replaced, line.reason, "replace");
            if (!by_itself) return accept(*found);
            auto outcome = add(with, found->order, true);
            if (outcome.refusal != LineRefusal::none) {
                exam(*found) = ended;
                order(*found).acts.pop_back();
            }
            return outcome;
        });
    }

    LineOutcome numbered(const LineRequest& line) {
        const auto& placer = line.exam.placer_number;
        if (placer.empty()) return refuse(line, LineRefusal::no_number, line.at + "-2");
        if (const auto known = find(line)) return mine(line, *known, [&] { return accept(*known); });
        std::optional<Found> meant;
        for (std::size_t o = 0; o < done_.orders.size(); ++o) {
            auto& order = done_.orders[o];
            if (line.filler.empty() || !order.same_patient) continue;
            for (std::size_t e = 0; e < order.exams.size() && !meant; ++e) {
                const auto& exam = order.exams[e];
                const bool this_one =
                    exam.filler_number == line.filler ||
                    (order.number == line.filler &&
                     (line.exam.code.empty() ? order.exams.size() == 1 : exam.code == line.exam.code));
                if ((exam.placer_number.empty() || numbered_here(exam)) && this_one) meant = Found{o, e};
            }
        }
        if (!meant) return refuse(line, LineRefusal::unknown_number, line.at + "-3");
        exam(*meant).placer_number = placer;
        order(*meant).new_placers.push_back(placer);
        touch(order(*meant), "number " + placer);
        return accept(*meant);
    }

    LineOutcome known(const LineRequest& line) {
        const auto found = find(line);
        if (!found) return refuse(line, LineRefusal::unknown_number, line.at + "-2");
        return mine(line, *found, [&] {
            if (const auto why = tubes_elsewhere(line, found->order); why != LineRefusal::none)
                return refuse(line, why, "SPM-2");
            if (line.control == status && order(*found).open()) give_tubes(order(*found), line.exam.specimens);
            return accept(*found);
        });
    }

    /// PA only says what its children come from: nothing to do for itself.
    LineOutcome stands_above(const LineRequest& line, std::size_t at) {
        if (const auto found = find(line)) return mine(line, *found, [&] { return accept(*found); });
        const bool children = at + 1 < request_.lines.size() && request_.lines[at + 1].control == child;
        if (!children) return refuse(line, LineRefusal::unknown_number, line.at + "-2");
        return LineOutcome{};
    }

    // ── tubes ──

    /// What the message says of these tubes belongs to the order.
    void give_tubes(KnownOrder& order, const std::vector<std::string>& numbers) {
        for (const auto& number : numbers) {
            const auto said = std::ranges::find(request_.order.specimens, number, &Specimen::number);
            if (said == request_.order.specimens.end()) continue;
            const auto there = std::ranges::find(order.specimens, number, &Specimen::number);
            if (there == order.specimens.end()) {
                auto tube = *said;
                tube.refusal.clear();  // refused below, with what that means for its examinations
                tube.refusal_code.clear();
                order.specimens.push_back(std::move(tube));
                order.new_tubes.push_back(number);
                order.touched = true;
                continue;
            }
            const auto complete = [&](std::optional<Timestamp>& ours, const std::optional<Timestamp>& theirs) {
                if (ours || !theirs) return;
                ours = theirs;
                order.touched = true;
            };
            complete(there->collected_at, said->collected_at);
            complete(there->received_at, said->received_at);
        }
    }

    void give_tubes_to_fresh_order() {
        if (done_.orders.empty() || !done_.orders.back().fresh) return;
        auto& order = done_.orders.back();
        std::vector<std::string> unnamed;
        for (const auto& specimen : request_.order.specimens) {
            const bool named = std::ranges::any_of(request_.lines, [&](const LineRequest& line) {
                return contains(line.exam.specimens, specimen.number);
            });
            const bool elsewhere = std::ranges::any_of(done_.orders, [&](const KnownOrder& other) {
                return !other.fresh &&
                       std::ranges::find(other.specimens, specimen.number, &Specimen::number) != other.specimens.end();
            });
            if (!named && !elsewhere) unnamed.push_back(specimen.number);
        }
        give_tubes(order, unnamed);
    }

    void refuse_tubes() {
        auto all = request_.order.specimens;
        all.insert(all.end(), refused_by_hand_.begin(), refused_by_hand_.end());
        for (const auto& said : all) {
            if (!said.refused()) continue;
            for (std::size_t o = 0; o < done_.orders.size(); ++o) {
                auto& order = done_.orders[o];
                const auto tube = std::ranges::find(order.specimens, said.number, &Specimen::number);
                if (!order.same_patient || tube == order.specimens.end() || tube->refused()) continue;
                if (!order.open()) {
                    done_.late_tubes.push_back(said.number);
                    continue;
                }
                tube->refusal_code = said.refusal_code;
                tube->refusal = said.refusal;
                order.refused_tubes.push_back(said.number);
                touch(order, "refuse tube " + said.number);
                for (std::size_t e = 0; e < order.exams.size(); ++e)
                    leave_undone({o, e}, *tube);
            }
        }
    }

    void leave_undone(const Found& found, const Specimen& tube) {
        auto& there = exam(found);
        auto& whole = order(found);
        if (!wanted(there)) return;
        const auto lost = [&](const std::string& number) {
            const auto of = std::ranges::find(whole.specimens, number, &Specimen::number);
            return of != whole.specimens.end() && of->refused();
        };
        const bool concerned = there.specimens.empty() || contains(there.specimens, tube.number);
        const bool all_lost = there.specimens.empty()
                                  ? std::ranges::all_of(whole.specimens, [](const Specimen& s) { return s.refused(); })
                                  : std::ranges::all_of(there.specimens, lost);
        if (!concerned || !all_lost) return;
        if (has_results(whole, there)) {
            done_.late_tubes.push_back(tube.number);
            return;
        }
        there.state = ExamState::not_done;
        there.reason = "Prélèvement refusé : " + (tube.refusal.empty() ? tube.refusal_code : tube.refusal);
        for (const auto* member : catalogue_.ordered(there.code)) {
            const bool still_asked = std::ranges::any_of(whole.exams, [&](const RequestedExam& other) {
                return wanted(other) && std::ranges::any_of(catalogue_.ordered(other.code), [&](const Analyte* theirs) {
                           return theirs->id == member->id;
                       });
            });
            const bool said = std::ranges::any_of(done_.not_done, [&](const NotDone& other) {
                return other.order == found.order && other.analyte == member->id;
            });
            if (!still_asked && !said)
                done_.not_done.push_back({found.order, member->id, member->local_code, tube.number, there.reason});
        }
    }

    // ── a person's correction ──

    void correct(const OrderCorrection& asked) {
        const auto refuse_all = [&](LineRefusal why) {
            LineOutcome outcome;
            outcome.refusal = why;
            outcome.coordinate = "ORC-3";
            outcome.late = why == LineRefusal::validated;
            corrections_.push_back(std::move(outcome));
        };
        const auto found = std::ranges::find(done_.orders, asked.number, &KnownOrder::number);
        if (found == done_.orders.end()) return refuse_all(LineRefusal::unknown_number);
        if (!found->same_patient) return refuse_all(LineRefusal::other_patient);
        if (!found->open() && found->state != OrderState::cancelled) return refuse_all(LineRefusal::validated);
        auto& order = *found;
        const auto put = [&](auto& ours, const auto& theirs, const char* act) {
            if (!theirs || ours == *theirs) return;
            ours = *theirs;
            touch(order, act);
        };
        put(order.prescriber, asked.prescriber, "prescriber");
        put(order.copies, asked.copies, "copies");
        put(order.clinical_context, asked.clinical_context, "clinical context");
        put(order.urgent, asked.urgent, "urgency");
        correct_tubes(order, asked);
        std::vector<std::string> fresh;
        for (std::size_t i = 0; i < request_.order.specimens.size(); ++i) {
            const auto& number = request_.order.specimens[i].number;
            if (const auto why = number_taken(order, number); why != LineRefusal::none)
                refuse_tube(why, asked.tubes.size() + i);
            else
                fresh.push_back(number);
        }
        give_tubes(order, fresh);
        for (const auto& number : order.new_tubes)
            touch(order, "tube " + number);
    }

    void correct_tubes(KnownOrder& order, const OrderCorrection& asked) {
        std::vector<std::string> before;
        for (const auto& tube : order.specimens)
            before.push_back(tube.number);
        std::vector<Specimen*> meant;  // by their former numbers: two of them may have been taken for each other
        for (const auto& [was, is] : asked.tubes) {
            const auto tube = std::ranges::find(order.specimens, was, &Specimen::number);
            meant.push_back(tube == order.specimens.end() ? nullptr : &*tube);
        }
        for (std::size_t i = 0; i < asked.tubes.size(); ++i) {
            const auto& is = asked.tubes[i].is;
            if (meant[i] == nullptr) {
                refuse_tube(LineRefusal::unknown_number, i);
                continue;
            }
            auto& tube = *meant[i];
            const bool other = is.number != asked.tubes[i].was;
            if (other && measured_from(order, asked.tubes[i].was)) {
                refuse_tube(LineRefusal::has_results, i);
                continue;
            }
            if (const auto why = number_taken(order, is.number); other && why != LineRefusal::none) {
                refuse_tube(why, i);
                continue;
            }
            if (is.refused() && !tube.refused()) {
                if (measured_from(order, asked.tubes[i].was)) {
                    refuse_tube(LineRefusal::has_results, i);
                    continue;
                }
                refused_by_hand_.push_back(is);
            }
            if (!other && is.type == tube.type && is.collected_at == tube.collected_at) continue;
            if (other) {
                for (auto& exam : order.exams)
                    std::ranges::replace(exam.specimens, asked.tubes[i].was, "\n" + is.number);
            }
            tube.number = is.number;
            if (is.type != tube.type) tube.type_label = is.type_label;
            tube.type = is.type;
            tube.collected_at = is.collected_at;
            touch(order, "tube " + asked.tubes[i].was + (other ? " is " + is.number : std::string()));
        }
        for (auto& exam : order.exams) {  // marked until all are said: T1 becomes T2 while T2 becomes T1
            for (auto& tube : exam.specimens) {
                if (tube.starts_with('\n')) tube.erase(0, 1);
            }
        }
        std::vector<std::string> gone;
        for (const auto& number : before) {
            if (std::ranges::find(order.specimens, number, &Specimen::number) == order.specimens.end())
                gone.push_back(number);
        }
        for (const auto& tube : order.specimens) {
            if (!contains(before, tube.number)) renamed_.emplace_back(gone[renamed_.size()], tube.number);
        }
    }

    void refuse_tube(LineRefusal why, std::size_t at) {
        LineOutcome outcome;
        outcome.refusal = why;
        outcome.coordinate = "SPM[" + std::to_string(at + 1) + "]-2";
        corrections_.push_back(std::move(outcome));
    }

    /// By a tube of another order.
    LineRefusal number_taken(const KnownOrder& mine, const std::string& number) const {
        for (const auto& order : done_.orders) {
            if (&order == &mine ||
                std::ranges::find(order.specimens, number, &Specimen::number) == order.specimens.end())
                continue;
            return order.same_patient ? LineRefusal::two_orders : LineRefusal::tube_of_another;
        }
        return LineRefusal::none;
    }

    bool measured_from(const KnownOrder& order, const std::string& tube) const {
        return std::ranges::any_of(order.exams, [&](const RequestedExam& exam) {
            return (exam.specimens.empty() || contains(exam.specimens, tube)) && has_results(order, exam);
        });
    }

    // ── the order as a whole ──

    void touch(KnownOrder& order, std::string act) {
        order.touched = true;
        order.acts.push_back(std::move(act));
    }

    /// Who asks for more is told, too; what he says of the patient is added.
    void merge_header(KnownOrder& order) {
        if (order.fresh || !order.touched || !order.open() || !request_.orders_something()) return;
        const auto add_copy = [&](const Professional& person) {
            if (is_nobody(person) || same_person(person, order.prescriber)) return;
            const bool there = std::ranges::any_of(
                order.copies, [&](const Professional& known) { return same_person(known, person); });
            if (!there) order.copies.push_back(person);
        };
        if (is_nobody(order.prescriber))
            order.prescriber = request_.order.prescriber;
        else
            add_copy(request_.order.prescriber);
        for (const auto& copy : request_.order.copies)
            add_copy(copy);
        order.urgent = order.urgent || request_.order.urgent;
        std::string_view rest = request_.order.clinical_context;
        while (!rest.empty()) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            const std::string framed = "\n" + order.clinical_context + "\n";
            if (line.empty() || framed.find("\n" + std::string(line) + "\n") != std::string::npos) continue;
            order.clinical_context += (order.clinical_context.empty() ? "" : "\n") + std::string(line);
        }
    }

    static void close_or_reopen(KnownOrder& order) {
        if (!order.touched) return;
        const bool nothing_left = std::ranges::all_of(order.exams, [](const RequestedExam& exam) {
            return exam.state == ExamState::cancelled || exam.state == ExamState::replaced;
        });
        // Of what was reported in part a biologist signs the end.
        if (order.open() && nothing_left && order.state != OrderState::partially_reported)
            order.state = OrderState::cancelled;
        if (order.state == OrderState::cancelled && !nothing_left)
            order.state = order.measured.empty() ? OrderState::registered : OrderState::in_progress;
    }

    const OrderRequest& request_;
    const Catalogue& catalogue_;
    Decision done_;
    std::vector<LineOutcome> corrections_;
    std::vector<Specimen> refused_by_hand_;
    std::vector<std::pair<std::string, std::string>> renamed_;
};

}  // namespace

Decision decide(const OrderRequest& request, std::vector<KnownOrder> known, const Catalogue& catalogue) {
    return Deciding(request, std::move(known), catalogue).decide();
}

DeskDecision decide(const DeskRequest& request, std::vector<KnownOrder> known, const Catalogue& catalogue) {
    return Deciding(request, std::move(known), catalogue).decide_with(request.correction);
}

}  // namespace sgl::domain
