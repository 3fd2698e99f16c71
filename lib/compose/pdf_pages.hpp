// The report cut into pages: which text stands where. All measuring and deciding is here, before anything is drawn.
// Internal to compose.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "lib/compose/pdf.hpp"
#include "lib/compose/pdf_canvas.hpp"

namespace sgl::compose {

/// One line of a text that may go over a page; its blocks share the text.
struct PlacedLine {
    std::shared_ptr<const Text> text;
    double x{};
    double y{};
    int line{};
};

/// What stays together on a page: a row with its comment, a heading, the signature.
struct Block {
    double height{};
    double space_before{};       ///< not at the top of a page
    bool keep_with_next{false};  ///< on the same page as the block that follows
    int chapter{-1};             ///< index of its chapter; -1: outside of the results
    bool heading{false};
    const Block* again{nullptr};  ///< stands above it when it begins a page: its sub-chapter, or its germ
    std::vector<Box> boxes;
    std::vector<Curve> curves;
    std::vector<PlacedText> texts;
    std::vector<PlacedLine> lines;
    std::optional<DrawnResult> result;
};

struct PlacedBlock {
    const Block* block{};
    double top{};
};

struct LaidOut {
    std::deque<Block> blocks;  ///< owns what the pages point to
    std::vector<std::vector<PlacedBlock>> pages;
};

/// Faults of texts are left in the typesetter.
LaidOut lay_out(const domain::Report& report, Typesetter& typesetter);

}  // namespace sgl::compose
