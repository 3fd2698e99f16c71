// The documents of a report as they are published, for the partners that read them.
#pragma once

#include <fstream>
#include <iterator>

#include "cda/write.hpp"
#include "lib/compose/cr_bio.hpp"
#include "lib/compose/pdf.hpp"
#include "lib/delivery/channel.hpp"

namespace sgl::test {

inline delivery::Documents real_documents(const domain::Report& report) {
    std::ifstream profile("/usr/share/color/icc/sRGB.icc", std::ios::binary);
    std::string icc(std::istreambuf_iterator<char>(profile), {});
    auto renderer = compose::PdfRenderer::open("/usr/share/fonts/truetype/dejavu", std::move(icc));
    delivery::Documents documents;
    documents.pdf = renderer.value().render(report).value().bytes;
    documents.n3 = cda::write(compose::cr_bio(report, documents.pdf).value()).value();
    return documents;
}

}  // namespace sgl::test
