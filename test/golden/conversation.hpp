// A golden conversation: what each side says, and what the laboratory then knows. test/golden/README.md tells how to
// read one and how to add one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sgl::golden {

/// One paragraph of in.hl7: a message or batch as it comes in, or what a person does ("@validate P1").
struct Step {
    std::string block;             ///< segments ended by CR; empty for an act
    std::vector<std::string> act;  ///< its words, without the @
    std::size_t line{};            ///< in in.hl7, from 1
};

/// Blank lines separate paragraphs; lines that begin with # are for the reader. Throws std::runtime_error on a line
/// that is neither a segment nor an act.
std::vector<Step> read_steps(const std::string& text);

/// Answers as they are compared: one segment a line, MSH-7 and MSH-10 as `*`, a blank line between messages.
std::string readable(const std::string& message);

std::string bytes_of(const std::filesystem::path& path);
void write(const std::filesystem::path& path, const std::string& text);

/// The cases: sub-folders of `folder` that hold an in.hl7, in alphabetical order.
std::vector<std::string> cases_in(const std::filesystem::path& folder);

}  // namespace sgl::golden
