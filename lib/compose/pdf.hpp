// The report as a laboratory prints and signs it: A4, French, PDF/A-1b (spec/dependencies.md e), from the domain report.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/domain/report.hpp"

namespace sgl::compose {

/// What was really put on paper for one result, in French; a later check proves with it that each result is shown.
struct DrawnResult {
    std::string local_code;
    std::string label;
    std::string value;     ///< with its comparator: `< 0,10`
    std::string unit;      ///< as printed; may be empty
    std::string range;     ///< may be empty
    std::string previous;  ///< value of the previous result, may be empty
    unsigned page{};       ///< from 1
    std::string letter{};  ///< of an antibiogram: S, I, R; else empty
    std::size_t curve{};   ///< how many results its small curve shows, this one counted; 0: it has none

    bool operator==(const DrawnResult&) const = default;
};

struct RenderedPdf {
    std::string bytes;
    std::vector<DrawnResult> drawn;  ///< in the order of the report, one per result; an organism before what is said of it
    unsigned pages{};
};

/// Holds the fonts, so keep it. One object may be used from any thread but draws one report at a time (a mutex inside);
/// who wants several at once makes several. Same report, same bytes, on any host: fonts are only those of the folder
/// given, dates only those of the report.
class PdfRenderer {
public:
    /// `fonts`: the folder that holds DejaVuSans.ttf and DejaVuSans-Bold.ttf (package fonts-dejavu-core).
    /// `icc_profile`: the bytes of an sRGB profile of ICC version 2 (package icc-profiles-free, sRGB.icc).
    /// Fault::unavailable when a font cannot be read, Fault::malformed when the profile is not one of version 2.
    static Result<PdfRenderer> open(const std::filesystem::path& fonts, std::string icc_profile);

    PdfRenderer(PdfRenderer&&) noexcept;
    PdfRenderer& operator=(PdfRenderer&&) noexcept;
    ~PdfRenderer();

    /// Refuses a report that is not complete (domain::missing, the first of them), a text that is not UTF-8
    /// (Fault::malformed) and a character that the fonts cannot show (Fault::unsupported): nothing is drawn by halves.
    Result<RenderedPdf> render(const domain::Report& report);

private:
    struct Inside;
    explicit PdfRenderer(std::unique_ptr<Inside> inside);
    std::unique_ptr<Inside> inside_;
};

}  // namespace sgl::compose
