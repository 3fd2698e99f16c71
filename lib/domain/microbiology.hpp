// What a culture gave: isolates, each with its susceptibilities and resistances (hl7v2-lab 8.8). Put together from the
// results of an order; a report reads it here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/domain/catalogue.hpp"
#include "lib/domain/result_detail.hpp"

namespace sgl::domain {

/// One current line of a culture, as it is stored.
struct CultureLine {
    ResultId result;
    std::string isolate;  ///< of the order: "24050200140#1", the number of its culture and its own
    ValueKind kind{};     ///< organism, antibiotic or marker, or of what else was said of the isolate (a count)
    std::string code;     ///< local code of the catalogue
    std::string label;
    std::optional<Value> value;
    std::string status;
    std::string note;
    ResultDetail detail;
};

struct Susceptibility {
    ResultId result;
    std::string code;
    std::string label;
    std::optional<Quantity> concentration;  ///< minimal inhibitory, in mg/L
    std::optional<Quantity> diameter;       ///< of inhibition, in mm
    std::optional<Susceptible> answer;
    std::string breakpoints;
    std::string method;
    bool printed{true};
};

/// A resistance marker, a count, a comment: what else is said of an isolate.
struct Finding {
    ResultId result;
    ValueKind kind{};
    std::string code;
    std::string label;
    std::optional<Value> value;
};

struct Isolate {
    std::string number;  ///< as in CultureLine
    ResultId result;     ///< of the organism; 0 when nothing names it
    std::optional<Value> organism;
    std::string status;  ///< of the organism: P until it is identified for good
    std::string note;
    std::vector<Susceptibility> susceptibilities;
    std::vector<Finding> findings;
};

/// Isolates in the order of their numbers; lines keep theirs.
std::vector<Isolate> isolates(const std::vector<CultureLine>& lines);

}  // namespace sgl::domain
