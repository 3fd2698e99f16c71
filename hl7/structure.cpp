#include "hl7/structure.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <utility>

namespace sgl::hl7 {

namespace {

struct Grammar {
    std::string_view structure;
    std::string_view grammar;
};

// Appendix A of the build specification. ORR_O02 is recalled, ORL_O42 as seen in published messages.
constexpr std::array<Grammar, 23> grammars{
    {{"ACK", "MSH [{SFT}] MSA [{ERR}]"},
     {"ORU_R01",
      "MSH [{SFT}] {--PATIENT_RESULT-- [--PATIENT-- PID [PD1] [{NTE}] [{NK1}] [--VISIT-- PV1 [PV2]]] "
      "{--ORDER_OBSERVATION-- [ORC] OBR [{NTE}] [{--TIMING_QTY-- TQ1 [{TQ2}]}] [CTD] [{--OBSERVATION-- OBX "
      "[{NTE}]}] [{FT1}] [{CTI}] [{--SPECIMEN-- SPM [{OBX}]}]}} [DSC]"},
     {"ORU_R30",
      "MSH [{SFT}] PID [PD1] [--VISIT-- PV1 [PV2]] ORC OBR [{NTE}] [{--TIMING_QTY-- TQ1 [{TQ2}]}] "
      "{--OBSERVATION-- OBX [{NTE}]}"},
     {"OML_O21",
      "MSH [{SFT}] [{NTE}] [--PATIENT-- PID [PD1] [{NTE}] [{NK1}] [--PATIENT_VISIT-- PV1 [PV2]] "
      "[{--INSURANCE-- IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {--ORDER-- ORC [{--TIMING-- TQ1 [{TQ2}]}] "
      "[--OBSERVATION_REQUEST-- OBR [TCD] [{NTE}] [CTD] [{DG1}] [{--OBSERVATION-- OBX [TCD] [{NTE}]}] "
      "[{--SPECIMEN-- SPM [{OBX}] [{--CONTAINER-- SAC [{OBX}]}]}] [{--PRIOR_RESULT-- [--PATIENT_PRIOR-- PID "
      "[PD1]] [--PATIENT_VISIT_PRIOR-- PV1 [PV2]] [{AL1}] {--ORDER_PRIOR-- [ORC] OBR [{NTE}] "
      "[{--TIMING_PRIOR-- TQ1 [{TQ2}]}] {--OBSERVATION_PRIOR-- OBX [{NTE}]}}}]] [{FT1}] [{CTI}] [BLG]}"},
     {"ORL_O22",
      "MSH MSA [{ERR}] [{SFT}] [{NTE}] [--RESPONSE-- [--PATIENT-- PID [{--ORDER-- ORC [{--TIMING-- TQ1 "
      "[{TQ2}]}] [--OBSERVATION_REQUEST-- OBR [{--SPECIMEN-- SPM [{SAC}]}]]}]]]"},
     {"OML_O33",
      "MSH [{SFT}] [{NTE}] [--PATIENT-- PID [PD1] [{NTE}] [{NK1}] [--PATIENT_VISIT-- PV1 [PV2]] "
      "[{--INSURANCE-- IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {--SPECIMEN-- SPM [{OBX}] [{SAC}] {--ORDER-- ORC "
      "[{--TIMING-- TQ1 [{TQ2}]}] [--OBSERVATION_REQUEST-- OBR [TCD] [{NTE}] [{DG1}] [{--OBSERVATION-- OBX "
      "[TCD] [{NTE}]}] [{--PRIOR_RESULT-- [--PATIENT_PRIOR-- PID [PD1]] [--PATIENT_VISIT_PRIOR-- PV1 [PV2]] "
      "[{AL1}] {--ORDER_PRIOR-- [ORC] OBR [{NTE}] [{--TIMING_PRIOR-- TQ1 [{TQ2}]}] {--OBSERVATION_PRIOR-- "
      "OBX [{NTE}]}}}]] [{FT1}] [{CTI}] [BLG]}}"},
     {"ORL_O34",
      "MSH MSA [{ERR}] [{SFT}] [{NTE}] [--RESPONSE-- [--PATIENT-- PID {--SPECIMEN-- SPM [{OBX}] [{SAC}] "
      "[{--ORDER-- ORC [{--TIMING-- TQ1 [{TQ2}]}] [--OBSERVATION_REQUEST-- OBR [{SPM [{SAC}]}]]}]}]]"},
     {"OML_O35",
      "MSH [{SFT}] [{NTE}] [--PATIENT-- PID [PD1] [{NTE}] [{NK1}] [--PATIENT_VISIT-- PV1 [PV2]] "
      "[{--INSURANCE-- IN1 [IN2] [IN3]}] [GT1] [{AL1}]] {--SPECIMEN-- SPM [{OBX}] {--SPECIMEN_CONTAINER-- "
      "SAC {--ORDER-- ORC [{--TIMING-- TQ1 [{TQ2}]}] [--OBSERVATION_REQUEST-- OBR [TCD] [{NTE}] [{DG1}] "
      "[{--OBSERVATION-- OBX [TCD] [{NTE}]}] [{--PRIOR_RESULT-- [--PATIENT_PRIOR-- PID [PD1]] "
      "[--PATIENT_VISIT_PRIOR-- PV1 [PV2]] [{AL1}] {--ORDER_PRIOR-- [ORC] OBR [{NTE}] [{--TIMING_PRIOR-- "
      "TQ1 [{TQ2}]}] {--OBSERVATION_PRIOR-- OBX [{NTE}]}}}]] [{FT1}] [{CTI}] [BLG]}}}"},
     {"ORL_O36",
      "MSH MSA [{ERR}] [{SFT}] [{NTE}] [--RESPONSE-- [--PATIENT-- PID {--SPECIMEN-- SPM [{OBX}] "
      "{--SPECIMEN_CONTAINER-- SAC [{--ORDER-- ORC [{--TIMING-- TQ1 [{TQ2}]}] [--OBSERVATION_REQUEST-- "
      "OBR]}]}}]]"},
     {"OUL_R22",
      "MSH [{SFT}] [NTE] [--PATIENT-- PID [PD1] [{NTE}]] [--VISIT-- PV1 [PV2]] {--SPECIMEN-- SPM [{OBX}] "
      "[{--CONTAINER-- SAC [INV]}] {--ORDER-- OBR [ORC] [{NTE}] [{--TIMING_QTY-- TQ1 [{TQ2}]}] [{OBX [TCD] "
      "[{SID}] [{NTE}]}] [{CTI}]}} [DSC]"},
     {"OUL_R23",
      "MSH [{SFT}] [NTE] [PID [PD1] [{NTE}]] [PV1 [PV2]] {SPM [{OBX}] {--CONTAINER-- SAC [INV] {--ORDER-- "
      "OBR [ORC] [{NTE}] [{TQ1 [{TQ2}]}] [{OBX [TCD] [{SID}] [{NTE}]}] [{CTI}]}}} [DSC]"},
     {"OUL_R24",
      "MSH [{SFT}] [NTE] [PID [PD1] [{NTE}]] [PV1 [PV2]] {--ORDER-- OBR [ORC] [{NTE}] [{TQ1 [{TQ2}]}] [{SPM "
      "[{OBX}] [{--CONTAINER-- SAC [INV]}]}] [{OBX [TCD] [{SID}] [{NTE}]}] [{CTI}]} [DSC]"},
     {"QBP_Q11", "MSH [{SFT}] QPD RCP [DSC]"},
     {"RSP_K11", "MSH [{SFT}] MSA [ERR] QAK QPD [--ROW_DEFINITION-- RDF [{RDT}]] [DSC]"},
     {"ORM_O01",
      "MSH [{NTE}] [--PATIENT-- PID [PD1] [{NTE}] [--PATIENT_VISIT-- PV1 [PV2]] [{--INSURANCE-- IN1 [IN2] "
      "[IN3]}] [GT1] [{AL1}]] {--ORDER-- ORC [--ORDER_DETAIL-- (OBR RQD RQ1 RXO ODS ODT) [{NTE}] [CTD] "
      "[{DG1}] [{--OBSERVATION-- OBX [{NTE}]}]] [{FT1}] [{CTI}] [BLG]}"},
     {"QCN_J01", "MSH [{SFT}] QID"},
     {"ADT_A01",
      "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] "
      "[{--PROCEDURE-- PR1 [{ROL}]}] [{GT1}] [{--INSURANCE-- IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] "
      "[PDA]"},
     {"ADT_A05",
      "MSH [{SFT}] EVN PID [PD1] [{ROL}] [{NK1}] PV1 [PV2] [{ROL}] [{DB1}] [{OBX}] [{AL1}] [{DG1}] [DRG] "
      "[{--PROCEDURE-- PR1 [{ROL}]}] [{GT1}] [{--INSURANCE-- IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2]"},
     {"ADT_A39", "MSH [{SFT}] EVN {--PATIENT-- PID [PD1] MRG [PV1]}"},
     {"MDM_T02",
      "MSH [{SFT}] EVN PID PV1 [{--COMMON_ORDER-- ORC [{--TIMING-- TQ1 [{TQ2}]}] OBR [{NTE}]}] TXA {OBX "
      "[{NTE}]}"},
     {"SSU_U03", "MSH [{SFT}] EQU {--SPECIMEN_CONTAINER-- SAC [{OBX}] [{--SPECIMEN-- SPM [{OBX}]}]} [ROL]"},
     {"ORL_O42",
      "MSH MSA [{ERR}] [{SFT}] [{NTE}] [{--SPECIMEN-- SPM [{OBX}] [{SAC}] [{--ORDER-- ORC [{--TIMING-- "
      "TQ1}] [OBR]}]}]"},
     {"ORR_O02", "MSH MSA [{ERR}] [{NTE}] [--RESPONSE-- [--PATIENT-- PID [{NTE}]] {--ORDER-- ORC [OBR]}]"}}};

struct Event {
    std::string_view message;  ///< MSH-9.1
    std::string_view trigger;  ///< MSH-9.2, empty: any
    std::string_view structure;
};
constexpr std::array events{
    Event{"ACK", "", "ACK"},        Event{"ORU", "R01", "ORU_R01"}, Event{"ORU", "R30", "ORU_R30"},
    Event{"ORU", "R31", "ORU_R30"}, Event{"ORU", "R32", "ORU_R30"}, Event{"OML", "O21", "OML_O21"},
    Event{"OML", "O33", "OML_O33"}, Event{"OML", "O35", "OML_O35"}, Event{"ORL", "O22", "ORL_O22"},
    Event{"ORL", "O34", "ORL_O34"}, Event{"ORL", "O36", "ORL_O36"}, Event{"OUL", "R22", "OUL_R22"},
    Event{"OUL", "R23", "OUL_R23"}, Event{"OUL", "R24", "OUL_R24"}, Event{"QBP", "", "QBP_Q11"},
    Event{"RSP", "K11", "RSP_K11"}, Event{"ORM", "O01", "ORM_O01"}, Event{"ORR", "O02", "ORR_O02"},
    Event{"QCN", "J01", "QCN_J01"}, Event{"ADT", "A01", "ADT_A01"}, Event{"ADT", "A04", "ADT_A01"},
    Event{"ADT", "A08", "ADT_A01"}, Event{"ADT", "Z99", "ADT_A01"}, Event{"ADT", "A05", "ADT_A05"},
    Event{"ADT", "A28", "ADT_A05"}, Event{"ADT", "A31", "ADT_A05"}, Event{"ADT", "A40", "ADT_A39"},
    Event{"MDM", "T02", "MDM_T02"}, Event{"MDM", "T04", "MDM_T02"}, Event{"MDM", "T10", "MDM_T02"},
    Event{"SSU", "U03", "SSU_U03"}};

struct Node {
    std::string_view segment;  ///< of a leaf
    std::string_view group;    ///< its name, often none
    bool optional{};
    bool repeats{};
    bool choice{};
    std::vector<Node> parts;
};

class GrammarReader {
public:
    explicit GrammarReader(std::string_view text) : rest_(text) {}
    Node read() {
        Node whole;
        sequence(whole, '\0');
        return whole;
    }

private:
    void sequence(Node& into, char close) {
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (c == ' ') {
                rest_.remove_prefix(1);
            } else if (c == close) {
                rest_.remove_prefix(1);
                return;
            } else if (c == '[' || c == '{' || c == '(') {
                rest_.remove_prefix(1);
                auto& part = into.parts.emplace_back();
                part.optional = c == '[';
                part.repeats = c == '{';
                part.choice = c == '(';
                sequence(part, c == '[' ? ']' : c == '{' ? '}' : ')');
            } else {
                const auto word = rest_.substr(0, std::min(rest_.find_first_of(" []{}()"), rest_.size()));
                rest_.remove_prefix(word.size());
                if (word.starts_with("--"))
                    into.group = word.substr(2, word.size() - 4);
                else
                    into.parts.emplace_back().segment = word;
            }
        }
    }

    std::string_view rest_;
};

const Node* tree_of(std::string_view structure) {
    static const auto trees = [] {
        std::map<std::string_view, Node> all;
        for (const auto& [name, grammar] : grammars)
            all.emplace(name, GrammarReader(grammar).read());
        return all;
    }();
    const auto found = trees.find(structure);
    return found == trees.end() ? nullptr : &found->second;
}

bool holds(const Node& node, std::string_view id) {
    return node.segment == id ||
           std::any_of(node.parts.begin(), node.parts.end(), [&](const Node& part) { return holds(part, id); });
}

/// Which of the segments the structure writes first.
std::string_view first_of(const Node& node, std::initializer_list<std::string_view> ids) {
    if (std::find(ids.begin(), ids.end(), node.segment) != ids.end()) return node.segment;
    for (const auto& part : node.parts) {
        if (const auto found = first_of(part, ids); !found.empty()) return found;
    }
    return {};
}

bool may_be_absent(const Node& node) {
    if (node.optional) return true;
    if (node.parts.empty()) return false;
    return std::all_of(node.parts.begin(), node.parts.end(), may_be_absent);
}

bool begins(const Node& node, std::string_view id) {
    if (node.parts.empty()) return node.segment == id;
    for (const auto& part : node.parts) {
        if (begins(part, id)) return true;
        if (!node.choice && !may_be_absent(part)) return false;
    }
    return false;
}

std::string_view first_wanted(const Node& node) {
    if (node.parts.empty()) return node.segment;
    for (const auto& part : node.parts) {
        if (!may_be_absent(part)) return first_wanted(part);
    }
    return first_wanted(node.parts.front());
}

class Walk {
public:
    explicit Walk(const Message& message) : message_(message) { out_.groups.resize(message.size()); }

    StructureReading over(const Node& whole) {
        sequence(whole);
        for (; at_ < message_.size(); ++at_)
            if (!local(message_.segment(at_).id())) unexpected();
        return std::move(out_);
    }

private:
    using Deviation = StructureReading::Deviation;
    struct Frame {
        const Node* node{};
        std::size_t next{};
    };

    static bool local(std::string_view id) { return id.starts_with('Z'); }

    void note(Deviation deviation) {
        if (out_.deviations.size() < 100) out_.deviations.push_back(std::move(deviation));
    }
    void unexpected() { note({Deviation::Kind::unexpected, message_.segment(at_).coordinate(), {}}); }

    bool expected_later(std::string_view id) const {
        for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
            const auto& parts = frame->node->parts;
            const auto next = parts.begin() + static_cast<std::ptrdiff_t>(std::min(frame->next, parts.size()));
            if (std::any_of(next, parts.end(), [&](const Node& part) { return holds(part, id); })) return true;
            if (frame->node->repeats && holds(*frame->node, id)) return true;
        }
        return false;
    }

    /// The segment that is next, what has no place from here on left behind.
    std::string_view current() {
        for (; at_ < message_.size(); ++at_) {
            const auto id = message_.segment(at_).id();
            if (local(id)) {
                out_.groups[at_] = path_;
            } else if (expected_later(id)) {
                return id;
            } else {
                unexpected();
            }
        }
        return {};
    }

    /// An ORC after the observations of an order is the next order, but for the prior results that say so.
    bool enters(const Node& node, std::string_view id) const {
        const bool prior = node.group == "PRIOR_RESULT" || node.group == "ORDER_PRIOR" ||
                           (node.parts.size() == 1 && node.parts.front().group == "PRIOR_RESULT");
        if (prior && id == "ORC" && message_.segment(at_).text(1) != "PR") return false;
        return begins(node, id);
    }

    void sequence(const Node& node) {
        frames_.push_back({&node, 0});
        for (std::size_t i = 0; i < node.parts.size(); ++i) {
            frames_.back().next = i;
            part(node.parts[i]);
        }
        frames_.pop_back();
    }

    void part(const Node& node) {
        const auto id = current();
        if (!enters(node, id)) {
            if (!may_be_absent(node)) {
                note({Deviation::Kind::missing, std::string(first_wanted(node)),
                      at_ < message_.size() ? message_.segment(at_).coordinate() : std::string()});
            }
            return;
        }
        if (node.parts.empty()) {
            out_.groups[at_++] = path_;
            return;
        }
        if (node.choice) {
            part(*std::find_if(node.parts.begin(), node.parts.end(), [&](const Node& one) { return begins(one, id); }));
            return;
        }
        const auto outside = path_.size();
        for (std::size_t n = 1;; ++n) {
            if (!node.group.empty()) {
                if (outside != 0) path_ += '.';
                path_ += node.group;
                path_ += '[' + std::to_string(n) + ']';
            }
            sequence(node);
            path_.resize(outside);
            if (!node.repeats) return;
            frames_.push_back({&node, node.parts.size()});
            const bool again = enters(node, current());
            frames_.pop_back();
            if (!again) return;
        }
    }

    const Message& message_;
    StructureReading out_;
    std::size_t at_{};
    std::string path_;
    std::vector<Frame> frames_;
};

}  // namespace

std::string_view structure_grammar(std::string_view structure) {
    const auto found =
        std::find_if(grammars.begin(), grammars.end(), [&](const Grammar& one) { return one.structure == structure; });
    return found == grammars.end() ? std::string_view{} : found->grammar;
}

std::string_view structure_of(const Message& message) {
    const auto written = message.structure();
    for (const auto& known : grammars) {
        if (known.structure == written) return known.structure;
    }
    const auto type = message.type();
    const auto trigger = message.trigger();
    for (const auto& event : events) {
        if (event.message == type && (event.trigger.empty() || event.trigger == trigger)) return event.structure;
    }
    return {};
}

Layout layout_of(std::string_view structure) {
    const Node* const tree = tree_of(structure);
    if (tree == nullptr) return {};
    const auto order = first_of(*tree, {"SPM", "OBR"});
    return {order == "SPM" && holds(*tree, "OBR"), first_of(*tree, {"ORC", "OBR"}) == "OBR" && holds(*tree, "ORC")};
}

StructureReading read_structure(const Message& message) {
    const Node* const tree = tree_of(structure_of(message));
    if (tree == nullptr) return {};
    return Walk(message).over(*tree);
}

}  // namespace sgl::hl7
