#include "lib/compose/pdf.hpp"

#include <fmt/format.h>

#include <mutex>

#include "lib/compose/local_time.hpp"
#include "lib/compose/pdf_a.hpp"
#include "lib/compose/pdf_canvas.hpp"
#include "lib/compose/pdf_pages.hpp"

namespace sgl::compose {

struct PdfRenderer::Inside {
    std::mutex one_at_a_time;
    Typesetter typesetter;
    std::string icc_profile;

    Inside(Typesetter t, std::string icc) : typesetter(std::move(t)), icc_profile(std::move(icc)) {}
};

PdfRenderer::PdfRenderer(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
PdfRenderer::PdfRenderer(PdfRenderer&&) noexcept = default;
PdfRenderer& PdfRenderer::operator=(PdfRenderer&&) noexcept = default;
PdfRenderer::~PdfRenderer() = default;

Result<PdfRenderer> PdfRenderer::open(const std::filesystem::path& fonts, std::string icc_profile) {
    // ICC.1: the major version is byte 8, the signature "acsp" at 36. PDF 1.4 knows version 2 only.
    if (icc_profile.size() < 128 || icc_profile.compare(36, 4, "acsp") != 0 || icc_profile[8] != 2 ||
        icc_profile.compare(16, 4, "RGB ") != 0) {
        return Error{Fault::malformed, "icc_profile", "not an RGB profile of ICC version 2 (package icc-profiles-free, sRGB.icc)"};
    }
    auto typesetter = Typesetter::open(fonts);
    if (!typesetter) return typesetter.error();
    return PdfRenderer{std::make_unique<Inside>(std::move(*typesetter), std::move(icc_profile))};
}

Result<RenderedPdf> PdfRenderer::render(const domain::Report& report) {
    if (const auto errors = domain::missing(report); !errors.empty()) return errors.front();
    const std::scoped_lock lock{inside_->one_at_a_time};
    auto laid_out = lay_out(report, inside_->typesetter);
    if (auto error = inside_->typesetter.take_error()) return std::move(*error);

    RenderedPdf pdf;
    PdfSurface surface;
    for (const auto& page : laid_out.pages) {
        ++pdf.pages;
        for (const auto& [block, top] : page) {
            for (const auto& box : block->boxes) surface.draw(box, top);
            for (const auto& curve : block->curves) surface.draw(curve, top);
            for (const auto& piece : block->texts) surface.draw(piece, top);
            for (const auto& piece : block->lines) surface.draw_line(*piece.text, piece.line, piece.x, top + piece.y);
            if (block->result) {
                pdf.drawn.push_back(*block->result);
                pdf.drawn.back().page = pdf.pages;
            }
        }
        surface.next_page();
    }
    const PdfInfo info{.title = fmt::format("Compte rendu d’examens de biologie médicale – dossier {}", report.order_number),
                       .author = report.entity.name,
                       .created = local(report.created_at, report.site.time_zone)};
    pdf.bytes = to_pdf_a(surface.finish(), info, inside_->icc_profile);
    return pdf;
}

}  // namespace sgl::compose
