#include "lib/compose/pdf_pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "lib/base/text.hpp"
#include "lib/compose/local_time.hpp"
#include "lib/compose/wording.hpp"
#include "lib/domain/microbiology.hpp"

namespace sgl::compose {

namespace {

using domain::Report;
using domain::ReportedResult;

// Points.
constexpr double left = 42;
constexpr double right = page_width - 42;
constexpr double content = right - left;
constexpr double top_margin = 34;
constexpr double bottom = page_height - 56;  ///< of the body
constexpr double footer_top = page_height - 46;

// The table of results.
constexpr double label_width = 166;
constexpr double sign_right = left + 192;   ///< the flag stands before the value
constexpr double value_left = left + 195;
constexpr double value_right = left + 248;
constexpr double unit_left = left + 255;
constexpr double unit_width = 60;
constexpr double range_left = left + 318;
constexpr double range_width = 70;
constexpr double previous_left = left + 391;
constexpr double previous_right = left + 429;
constexpr double date_left = left + 433;
constexpr double date_right = left + 475;
constexpr double curve_left = left + 480;  ///< to the right edge: the trend of the last results

constexpr Colour ink{0.10, 0.12, 0.15};
constexpr Colour grey{0.38, 0.42, 0.47};
constexpr Colour accent{0.07, 0.27, 0.42};
constexpr Colour hairline{0.82, 0.85, 0.88};
constexpr Colour tint{0.945, 0.957, 0.968};
constexpr Colour band{0.88, 0.915, 0.945};
constexpr Colour alert{0.66, 0.09, 0.12};
constexpr Colour alert_tint{0.985, 0.93, 0.925};

constexpr Style body{.size = 8, .colour = ink};
constexpr Style strong{.size = 8, .bold = true, .colour = ink};
constexpr Style small{.size = 6.8, .colour = grey};
constexpr Style caption{.size = 5.9, .colour = grey, .tracking = 0.15};

constexpr Style aligned(Style style, Style::Align align) {
    style.align = align;
    return style;
}
constexpr Style coloured(Style style, Colour colour) {
    style.colour = colour;
    return style;
}
constexpr Style sized(Style style, double size) {
    style.size = size;
    return style;
}

std::string numbered(std::string_view what, std::size_t index) { return fmt::format("{}[{}]", what, index + 1); }

class Layout {
public:
    Layout(const Report& report, Typesetter& typesetter)
        : report_(report), set_(typesetter), zone_(report.site.time_zone) {}

    LaidOut make() {
        letterhead();
        patient_band();
        people();
        specimens();
        context();
        banners();
        table_header_ = column_header();
        for (std::size_t i = 0; i < report_.chapters.size(); ++i) chapter(i);
        ending();
        paginate();
        footers();
        return std::move(out_);
    }

private:
    // ------------------------------------------------------------------------------------------------ small tools

    Text text(std::string_view utf8, const Style& style, double width, std::string_view place) {
        return set_.text(utf8, style, width, place);
    }

    /// Puts a text into a block; gives the y under it.
    double put(Block& block, double x, double y, double width, std::string_view utf8, const Style& style,
               std::string_view place) {
        Text laid = text(utf8, style, width, place);
        const double under = y + laid.height();
        block.texts.push_back({std::move(laid), x, y});
        return under;
    }

    /// A tiny caption with its value below; nothing when there is no value. Gives the y under it.
    double field(Block& block, double x, double y, double width, std::string_view name, std::string_view value,
                 const Style& style, std::string_view place) {
        if (value.empty()) return y;
        y = put(block, x, y, width, name, caption, place);
        return put(block, x, y + 0.5, width, value, style, place);
    }

    std::string_view kind() const {
        switch (report_.kind) {
            case domain::ReportKind::final: return "final";
            case domain::ReportKind::partial: return "partiel";
        }
        return "";
    }
    bool is_partial() const { return report_.kind == domain::ReportKind::partial; }
    std::string date_time(const Timestamp& at) const { return to_french_date_time(local(at, zone_)); }
    std::string date(const Timestamp& at) const { return to_french_date(local(at, zone_)); }

    Block& add(Block block) { return out_.blocks.emplace_back(std::move(block)); }

    /// Flowing blocks are those that pagination places.
    void flow(Block block) { flow_.push_back(&add(std::move(block))); }

    // ---------------------------------------------------------------------------------- the top of the first page

    void letterhead() {
        Block block;
        const auto& entity = report_.entity;
        const auto& site = report_.site;
        constexpr double title_width = 210;
        constexpr double name_width = content - title_width - 16;
        double y = put(block, left, 0, name_width, entity.name, {.size = 14.5, .bold = true, .colour = accent}, "legal_entity.name");
        y = put(block, left, y + 1, name_width, fmt::format("{} – FINESS EJ {}", entity.legal_form, entity.finess.text()), small, "legal_entity.legal_form");
        if (!one_line(entity.address).empty() && entity.address != site.address) {
            y = put(block, left, y, name_width, "Siège : " + one_line(entity.address), small, "legal_entity.address");
        }
        y = put(block, left, y + 5, name_width, site.name, sized(strong, 8.5), "site.name");
        y = put(block, left, y, name_width, one_line(site.address), sized(body, 7.4), "site.address");
        std::string contact = site.phone.empty() ? std::string{} : "Tél. " + site.phone + " – ";
        contact += "FINESS ET " + site.finess.text();
        y = put(block, left, y, name_width, contact, small, "site.phone");

        const double title_left = right - title_width;
        const Style title{.size = 13, .colour = accent, .align = Style::Align::right};
        double ty = put(block, title_left, 0.5, title_width, "Compte rendu", title, "title");
        ty = put(block, title_left, ty, title_width, "d’examens de biologie médicale", sized(title, 10), "title");
        if (is_partial()) ty = put(block, title_left, ty + 2, title_width, "RÉSULTATS PARTIELS", {.size = 10, .bold = true, .colour = alert, .align = Style::Align::right}, "kind");
        const Style note = aligned(small, Style::Align::right);
        ty = put(block, title_left, ty + 5, title_width, "Dossier n° " + report_.order_number, aligned(strong, Style::Align::right), "order_number");
        ty = put(block, title_left, ty + 1, title_width, fmt::format("Version {} – compte rendu {}", report_.ids.version, kind()), note, "ids.version");
        ty = put(block, title_left, ty, title_width, "Édité le " + date_time(report_.created_at), note, "created_at");
        if (report_.confidentiality != 'N') {
            ty = put(block, title_left, ty, title_width,
                     report_.confidentiality == 'V' ? "Confidentialité : très restreinte" : "Confidentialité : restreinte",
                     coloured(note, alert), "confidentiality");
        }
        if (!entity.accreditation.empty()) {
            ty = put(block, title_left, ty, title_width, "Accréditation Cofrac Examens médicaux n° " + entity.accreditation, note, "legal_entity.accreditation");
        }
        block.height = std::max(y, ty) + 7;
        block.boxes.push_back({left, block.height - 1.2, content, 1.2, accent});
        letterhead_ = &add(std::move(block));

        Block short_one;
        double sy = put(short_one, left, 0, content / 2 + 20, entity.name, {.size = 9, .bold = true, .colour = accent}, "legal_entity.name");
        sy = put(short_one, left, sy, content / 2 + 20, site.name + (site.phone.empty() ? "" : " – Tél. " + site.phone), small, "site.name");
        const double half = left + content / 2 + 20;
        double hy = put(short_one, half, 0, right - half, "Compte rendu d’examens de biologie médicale",
                        {.size = 8, .colour = accent, .align = Style::Align::right}, "title");
        hy = put(short_one, half, hy + 1, right - half, "Édité le " + date_time(report_.created_at), note, "created_at");
        if (is_partial()) hy = put(short_one, half, hy + 1, right - half, "RÉSULTATS PARTIELS", coloured(aligned(sized(strong, 7.4), Style::Align::right), alert), "kind");
        short_one.height = std::max(sy, hy) + 5;
        short_one.boxes.push_back({left, short_one.height - 0.8, content, 0.8, accent});
        short_letterhead_ = &add(std::move(short_one));
    }

    void patient_band() {
        Block block;
        const auto& traits = report_.patient.traits.reveal();
        const auto& collected = report_.specimens.front().collected_at;
        constexpr double pad = 8;
        const std::array<double, 6> x{left + pad, left + 128, left + 222, left + 326, left + 418, right + 2};
        const auto cell = [&](std::size_t column, std::size_t span, double y, std::string_view name, std::string_view value,
                              const Style& style, std::string_view place) {
            return field(block, x[column], y, x[column + span] - x[column] - 6, name, value, style, place);
        };
        const Style name_style{.size = 9, .bold = true, .colour = ink};
        const Style number_style = sized(body, 7.5);
        double y = 6;
        double under = cell(0, 1, y, "NOM DE NAISSANCE", traits.birth_name, name_style, "patient.birth_name");
        under = std::max(under, cell(1, 1, y, "PREMIER PRÉNOM", traits.first_given_name, name_style, "patient.first_given_name"));
        std::string used = traits.used_name;
        if (!traits.used_given_name.empty()) used += (used.empty() ? "" : " ") + traits.used_given_name;
        under = std::max(under, cell(2, 1, y, "NOM ET PRÉNOM UTILISÉS", used.empty() ? "–" : used, name_style, "patient.used_name"));
        under = std::max(under, cell(3, 1, y, "DATE DE NAISSANCE", traits.birth_date ? to_french_date(*traits.birth_date) : "inconnue",
                                     name_style, "patient.birth_date"));
        std::string sex{french(traits.sex)};
        if (const auto age = collected ? age_in_words(traits.birth_date, *collected) : std::string{}; !age.empty()) sex += ", " + age;
        under = std::max(under, cell(4, 1, y, sex.find(',') == std::string::npos ? "SEXE" : "SEXE, ÂGE", sex, name_style, "patient.sex"));
        y = under + 4;
        under = cell(0, 1, y, "N° PATIENT (IPP)", report_.patient.local_id, number_style, "patient.local_id");
        std::string ins = "identité non qualifiée";
        std::string ins_oid;
        if (report_.patient.ins_may_leave()) {
            ins = report_.patient.ins->reveal().matricule.text();
            ins_oid = report_.patient.ins->reveal().oid;
        }
        under = std::max(under, cell(1, 1, y, "MATRICULE INS", ins, number_style, "patient.ins"));
        under = std::max(under, cell(2, 1, y, "OID DE L’INS", ins_oid, number_style, "patient.ins.oid"));
        under = std::max(under, cell(3, 1, y, "DOSSIER", report_.order_number, number_style, "order_number"));
        under = std::max(under, cell(4, 1, y, "VERSION", fmt::format("{} ({})", report_.ids.version, kind()), number_style, "ids.version"));
        block.height = under + 6;
        block.boxes.push_back({left, 0, content, block.height, tint});
        block.boxes.push_back({left, 0, 2.2, block.height, accent});
        band_ = &add(std::move(block));
    }

    /// Patient's address, prescriber and copies, dates: three columns.
    void people() {
        Block block;
        block.space_before = 9;
        const auto& traits = report_.patient.traits.reveal();
        constexpr double gap = 14;
        constexpr double width = (content - 2 * gap) / 3;
        const auto column = [](int i) { return left + i * (width + gap); };
        const Style plain = sized(body, 7.6);

        double y1 = field(block, column(0), 0, width, "PRÉNOMS DE NAISSANCE", traits.birth_given_names, plain, "patient.birth_given_names");
        if (!traits.birth_place.empty()) y1 = field(block, column(0), y1 + 3, width, "LIEU DE NAISSANCE (CODE INSEE)", traits.birth_place, plain, "patient.birth_place");
        std::string address = one_line(traits.address);
        if (!traits.phone.empty()) address += (address.empty() ? "Tél. " : "\nTél. ") + traits.phone;
        y1 = field(block, column(0), y1 + 3, width, "ADRESSE DU PATIENT", address, plain, "patient.address");
        if (!report_.stay_number.empty()) y1 = field(block, column(0), y1 + 3, width, "N° DE SÉJOUR", report_.stay_number, plain, "stay_number");

        const auto& prescriber = report_.prescriber;
        double y2 = 0;
        if (!prescriber.family.empty()) {
            y2 = put(block, column(1), y2, width, "PRESCRIPTEUR", caption, "prescriber");
            y2 = put(block, column(1), y2 + 0.5, width, full_name(prescriber), sized(strong, 7.8), "prescriber");
            if (!prescriber.rpps.empty()) y2 = put(block, column(1), y2, width, "RPPS " + prescriber.rpps.text(), small, "prescriber.rpps");
            if (const auto where = one_line(prescriber.address); !where.empty()) y2 = put(block, column(1), y2, width, where, small, "prescriber.address");
            if (!prescriber.phone.empty()) y2 = put(block, column(1), y2, width, "Tél. " + prescriber.phone, small, "prescriber.phone");
        }
        std::string copies;
        for (const auto& correspondent : report_.correspondents) {
            if (correspondent.is_prescriber) continue;
            copies += (copies.empty() ? "" : "\n") + full_name(correspondent.professional);
        }
        if (!copies.empty()) y2 = field(block, column(1), y2 == 0 ? 0 : y2 + 3, width, "COPIE À", copies, plain, "correspondents");

        double y3 = 0;
        if (report_.prescribed_at) y3 = field(block, column(2), y3, width, "PRESCRIT LE", date(*report_.prescribed_at), plain, "prescribed_at") + 3;
        y3 = field(block, column(2), y3, width, "ENREGISTRÉ LE", date_time(report_.registered_at), plain, "registered_at");
        y3 = field(block, column(2), y3 + 3, width, "PRESCRIPTION N°", report_.placer_group, plain, "placer_group");
        if (!report_.collector.family.empty()) {
            std::string who = full_name(report_.collector);
            if (!report_.collector.speciality.label.empty()) who += ", " + report_.collector.speciality.label;
            if (!report_.collector.rpps.empty()) who += "\nRPPS " + report_.collector.rpps.text();
            y3 = field(block, column(2), y3 + 3, width, "PRÉLÈVEMENT PAR", who, plain, "collector");
        }
        block.height = std::max({y1, y2, y3});
        flow(std::move(block));
    }

    void specimens() {
        const std::array<double, 4> x{left, left + 120, left + 290, left + 405};
        Block head;
        head.space_before = 9;
        head.keep_with_next = true;
        head.boxes.push_back({left, 0, content, 0.5, hairline});
        double y = 0;
        const std::array<std::string_view, 4> names{"PRÉLÈVEMENT N°", "NATURE", "PRÉLEVÉ LE", "REÇU LE"};
        for (std::size_t i = 0; i < names.size(); ++i) y = put(head, x[i], 4, 0, names[i], caption, "specimens");
        head.height = y + 1;
        flow(std::move(head));
        for (std::size_t i = 0; i < report_.specimens.size(); ++i) {
            const auto& specimen = report_.specimens[i];
            const auto place = numbered("specimens", i);
            Block row;
            const Style plain = sized(body, 7.6);
            double under = put(row, x[0], 0, x[1] - x[0] - 8, specimen.number, plain, place);
            under = std::max(under, put(row, x[1], 0, x[2] - x[1] - 8, specimen.type_label.empty() ? specimen.type : specimen.type_label, plain, place));
            under = std::max(under, put(row, x[2], 0, x[3] - x[2] - 4, specimen.collected_at ? date_time(*specimen.collected_at) : "", plain, place));
            under = std::max(under, put(row, x[3], 0, right - x[3], specimen.received_at ? date_time(*specimen.received_at) : "–", plain, place));
            row.height = under + 1.5;
            flow(std::move(row));
        }
    }

    void context() {
        const auto line = [&](std::string_view name, std::string_view value, std::string_view place) {
            if (value.empty()) return;
            Block block;
            block.space_before = 5;
            const double under = put(block, left, 1, 116, name, caption, place);
            block.height = std::max(under, put(block, left + 120, 0, content - 120, value, sized(body, 7.6), place));
            flow(std::move(block));
        };
        std::string exams;
        for (const auto& exam : report_.exams) exams += (exams.empty() ? "" : ", ") + (exam.label.empty() ? exam.code : exam.label);
        line("EXAMENS DEMANDÉS", exams, "exams");
        line("RENSEIGNEMENTS CLINIQUES", report_.clinical_context, "clinical_context");
    }

    void banner(std::string_view text, std::string_view place, std::string_view more = {}) {
        Block block;
        block.space_before = 9;
        double under = put(block, left + 10, 5, content - 20, text, {.size = 8.4, .bold = true, .colour = alert}, place);
        if (!more.empty()) under = put(block, left + 10, under + 1.5, content - 20, more, body, place);
        block.height = under + 5;
        block.boxes.push_back({left + 0.4, 0.4, content - 0.8, block.height - 0.8, alert, 0.8});
        flow(std::move(block));
    }

    std::string replacement() const {
        const auto former = report_.ids.version - 1;
        if (report_.replaces && report_.replaces->kind == domain::ReportKind::partial)
            return fmt::format("Ce compte rendu{} annule et remplace le compte rendu partiel validé le {} (version {}).", is_partial() ? "" : " complet", date_time(report_.replaces->validated_at), former);
        return fmt::format("Ce compte rendu annule et remplace la version {} du même dossier.", former);
    }

    void banners() {
        if (report_.ids.version > 1) banner(replacement(), "ids.version");
        if (is_partial()) banner("Compte rendu partiel : d’autres résultats suivront.", "kind", "Restent à venir : " + awaited(report_) + ".");
        for (std::size_t i = 0; i < report_.non_conformities.size(); ++i)
            banner("Non-conformité : " + report_.non_conformities[i], numbered("non_conformities", i));
    }

    // -------------------------------------------------------------------------------------------------- results

    Block* column_header() {
        Block block;
        const double y = 3;
        double under = put(block, left, y, 0, "EXAMEN", caption, "table");
        put(block, value_left - 20, y, value_right - value_left + 20, "RÉSULTAT", aligned(caption, Style::Align::right), "table");
        put(block, unit_left, y, 0, "UNITÉ", caption, "table");
        put(block, range_left, y, 0, "VALEURS DE RÉFÉRENCE", caption, "table");
        put(block, previous_left, y, date_right - previous_left, "ANTÉRIORITÉ", aligned(caption, Style::Align::right), "table");
        block.height = under + 3;
        block.space_before = 11;
        block.boxes.push_back({left, block.height - 0.6, content, 0.6, accent});
        return &add(std::move(block));
    }

    Block chapter_heading(std::size_t index, bool continued) {
        const auto& chapter = report_.chapters[index];
        Block block;
        block.heading = true;
        block.keep_with_next = true;
        block.chapter = static_cast<int>(index);
        block.space_before = 8;
        Text title = text(chapter.label, {.size = 9.6, .bold = true, .colour = accent}, content - 60, numbered("chapters", index));
        const double width = title.ink_width();
        const double baseline = title.baseline();
        block.height = 3.5 + title.height() + 2.5;
        const auto print = common_print_[index];
        block.texts.push_back({std::move(title), left, 3.5});
        const std::string note = print.empty() ? (continued ? "(suite)" : "") : (continued ? "(suite) – " : "") + print;
        if (!note.empty()) {
            Text more = text(note, sized(small, 6.4), content - width - 10, numbered("chapters", index));
            const double drop = 3.5 + baseline - more.baseline();
            block.height = std::max(block.height, drop + more.height() + 2);
            block.texts.push_back({std::move(more), left + width + 7, drop});
        }
        return block;
    }

    Block sub_heading(const domain::SubChapter& sub_chapter, std::size_t chapter, bool continued) {
        Block block;
        block.chapter = static_cast<int>(chapter);
        block.keep_with_next = true;
        block.space_before = 5;
        const auto label = sub_chapter.label + (continued ? " (suite)" : "");
        block.height = put(block, left, 2.5, content, label, {.size = 8.4, .bold = true, .colour = ink}, numbered("chapters", chapter) + ".sub_chapter") + 1.5;
        return block;
    }

    void part(const domain::ChapterPart& part, std::size_t index) {
        const auto& chapter = report_.chapters[index];
        const Block* again = nullptr;
        if (!part.sub_chapter.empty()) {
            again = &add(sub_heading(part.sub_chapter, index, true));
            flow(sub_heading(part.sub_chapter, index, false));
        }
        const auto first = flow_.size();
        for (std::size_t i = 0; i < part.results.size(); ++i) {
            const auto at = part.results[i];
            const auto place = numbered("chapters", index) + "." + numbered("results", at);
            result(chapter.results[at], static_cast<int>(index), place);
            // No row stands alone under its heading, nor alone at the top of the next page.
            const bool second_last = i + 2 == part.results.size();
            if ((i == 0 || second_last) && i + 1 < part.results.size()) flow_.back()->keep_with_next = true;
        }
        for (const auto at : part.isolates) isolate(at, index);
        for (auto at = first; at < flow_.size(); ++at)
            if (flow_[at]->again == nullptr) flow_[at]->again = again;
    }

    void chapter(std::size_t index) {
        const auto& chapter = report_.chapters[index];
        common_print_.push_back(common_print(chapter));
        continuations_.push_back(&add(chapter_heading(index, true)));
        flow(chapter_heading(index, false));
        for (const auto& one : domain::parts_of(chapter)) part(one, index);
        if (chapter.validation) {
            flow_.back()->keep_with_next = true;
            Block block;
            block.chapter = static_cast<int>(index);
            const auto who = fmt::format("Validé par {} (RPPS {}) le {}", full_name(chapter.validation->who),
                                         chapter.validation->who.rpps.text(), date_time(chapter.validation->at));
            block.height = put(block, left, 3, content, who, aligned(small, Style::Align::right), numbered("chapters", index) + ".validation") + 2;
            flow(std::move(block));
        }
    }

    // ------------------------------------------------------------------------------------------------- cultures

    /// A band that names the germ, what was found of it, its antibiogram.
    void isolate(std::size_t index, std::size_t chapter) {
        const auto& isolate = report_.chapters[chapter].isolates[index];
        const auto place = numbered("chapters", chapter) + "." + numbered("isolates", index);
        const auto first = flow_.size();
        const Block* again = &add(germ(index, chapter, true));
        flow(germ(index, chapter, false));
        auto& name = *flow_.back();
        name.result = DrawnResult{isolate.organism.local_code, isolate.organism.label, domain::to_french(isolate.organism.value), {}, {}, {}, 0, {}};
        name.keep_with_next = !isolate.findings.empty() || !isolate.antibiogram.empty();
        for (std::size_t i = 0; i < isolate.findings.size(); ++i)
            result(isolate.findings[i], static_cast<int>(chapter), place + "." + numbered("findings", i));
        if (!isolate.antibiogram.empty()) {
            if (!isolate.findings.empty()) flow_.back()->keep_with_next = true;
            flow(antibiogram_header(chapter));
        }
        for (std::size_t i = 0; i < isolate.antibiogram.size(); ++i) {
            antibiotic(isolate.antibiogram[i], static_cast<int>(chapter), place + "." + numbered("antibiogram", i));
            const bool first_or_second_last = i == 0 || i + 2 == isolate.antibiogram.size();
            if (first_or_second_last && i + 1 < isolate.antibiogram.size()) flow_.back()->keep_with_next = true;
        }
        for (auto at = first + 1; at < flow_.size(); ++at) flow_[at]->again = again;
    }

    Block germ(std::size_t index, std::size_t chapter, bool continued) {
        const auto& isolate = report_.chapters[chapter].isolates[index];
        const auto place = numbered("chapters", chapter) + "." + numbered("isolates", index);
        Block block;
        block.chapter = static_cast<int>(chapter);
        block.space_before = 7;
        Text name = text(domain::to_french(isolate.organism.value), {.size = 9.2, .bold = true, .colour = ink}, 260, place + ".organism");
        const double baseline = 4 + name.baseline();
        double under = 4 + name.height();
        block.texts.push_back({std::move(name), left + 62, 4});
        const auto beside = [&](std::string_view words, const Style& style, double x, double width) {
            Text laid = text(words, style, width, place + ".organism");
            const double y = baseline - laid.baseline();
            under = std::max(under, y + laid.height());
            block.texts.push_back({std::move(laid), x, y});
        };
        beside(fmt::format("Germe n° {}", index + 1), {.size = 8, .colour = accent}, left + 8, 52);
        std::string note = continued ? "(suite)" : "";
        if (isolate.preliminary) note += continued ? " – identification provisoire" : "identification provisoire";
        if (!note.empty())
            beside(note, coloured(aligned(sized(small, 7.2), Style::Align::right), isolate.preliminary ? alert : grey), left + 330, content - 338);
        if (!continued && !isolate.organism.comment.empty()) under = put(block, left + 62, under + 1.5, content - 70, isolate.organism.comment, sized(body, 7.4), place + ".comment");
        block.height = under + 4;
        block.boxes.push_back({left, 0, content, block.height, tint});
        block.boxes.push_back({left, 0, 1.6, block.height, accent});
        return block;
    }

    Block antibiogram_header(std::size_t chapter) {
        Block block;
        block.chapter = static_cast<int>(chapter);
        block.keep_with_next = true;
        const double under = put(block, left, 6, 0, "ANTIBIOGRAMME", coloured(caption, accent), "antibiogram");
        put(block, value_left - 70, 6, value_right - value_left + 70, "CMI OU DIAMÈTRE", aligned(caption, Style::Align::right), "antibiogram");
        put(block, unit_left, 6, 0, "UNITÉ", caption, "antibiogram");
        put(block, range_left, 6, 0, "INTERPRÉTATION", caption, "antibiogram");
        block.height = under + 2;
        block.boxes.push_back({left, block.height - 0.5, content, 0.5, hairline});
        return block;
    }

    /// Its letter stands in a box, its meaning in words beside: nothing by colour alone.
    void antibiotic(const ReportedResult& line, int chapter, const std::string& place) {
        Block row;
        row.chapter = chapter;
        constexpr double y = 2.4;
        const bool resistant = line.susceptible == domain::Susceptible::resistant || line.susceptible == domain::Susceptible::non_susceptible;
        const std::string letter{line.susceptible ? domain::to_string(*line.susceptible) : ""};
        const bool measured = std::holds_alternative<domain::Quantity>(line.value);
        DrawnResult drawn{line.local_code, line.label, domain::to_french(line.value), unit_of(line.value), {}, {}, 0, letter};

        Text label = text(line.label, sized(resistant ? strong : body, 8), label_width, place + ".label");
        const double baseline = y + label.baseline();
        double under = y + label.height();
        row.texts.push_back({std::move(label), left, y});
        const auto on_line = [&](std::string_view words, const Style& style, double x, double width, std::string_view what) {
            Text laid = text(words, style, width, place + std::string(what));
            const double at = baseline - laid.baseline();
            under = std::max(under, at + laid.height());
            row.texts.push_back({std::move(laid), x, at});
        };
        if (measured) {
            on_line(drawn.value, aligned(sized(body, 8.2), Style::Align::right), value_left - 30, value_right - value_left + 30, ".value");
            if (!drawn.unit.empty()) on_line(drawn.unit, sized(body, 7.6), unit_left, unit_width, ".unit");
        } else if (!line.susceptible || drawn.value != letter) {
            on_line(drawn.value, sized(body, 8), value_left, range_left - value_left - 6, ".value");
        }
        if (line.susceptible) {
            constexpr double side = 11;
            const double width = letter.size() > 1 ? 22 : side;
            const double top = baseline - 8.6;
            row.boxes.push_back(resistant ? Box{range_left, top, width, side, ink} : Box{range_left + 0.3, top + 0.3, width - 0.6, side - 0.6, grey, 0.6});
            const Style in_box{.size = letter.size() > 1 ? 6.6 : 7.8, .bold = true, .colour = resistant ? Colour{1, 1, 1} : ink, .align = Style::Align::centre};
            on_line(letter, in_box, range_left, width, ".susceptible");
            on_line(domain::to_french(*line.susceptible), sized(resistant ? strong : body, 7.8), range_left + width + 6, right - range_left - width - 6, ".susceptible");
        }
        if (const auto print = fine_print(line, false); !print.empty()) {
            const double label_under = row.texts.front().y + row.texts.front().text.height();
            under = std::max(under, put(row, left, label_under + 0.2, label_width, print, sized(small, 6.2), place + ".method"));
        }
        row.result = std::move(drawn);
        if (!line.comment.empty()) under = put(row, left + 11, under + 1.5, content - 16, line.comment, sized(body, 7.4), place + ".comment");
        row.height = under + 2.2;
        row.boxes.push_back({left, row.height - 0.3, content, 0.3, hairline});
        flow(std::move(row));
    }

    /// Method, and the specimen when there is more than one.
    std::string fine_print(const ReportedResult& result, bool with_specimen = true) const {
        std::string print;
        if (with_specimen && report_.specimens.size() > 1 && result.specimen_number) {
            for (const auto& specimen : report_.specimens) {
                if (specimen.number == *result.specimen_number) print = specimen.type_label.empty() ? specimen.type : specimen.type_label;
            }
        }
        if (!result.method.empty()) print += (print.empty() ? "" : " – ") + result.method;
        if (result.corrected) print += (print.empty() ? "" : " – ") + std::string("résultat corrigé");
        if (result.performer) print += (print.empty() ? "" : " – ") + std::string("Examen réalisé par ") + result.performer->name;
        return print;
    }

    /// What all the results of a chapter share is printed once, beside its heading.
    std::string common_print(const domain::ReportedChapter& chapter) const {
        if (chapter.results.size() < 2) return {};
        auto print = fine_print(chapter.results.front());
        const bool same = std::ranges::all_of(chapter.results, [&](const ReportedResult& one) { return fine_print(one) == print; });
        return same ? print : std::string{};
    }

    /// What can be drawn as a curve: numbers alone, measured in the same unit, oldest first and this one last. A limit of
    /// measurement is no point. Fewer than three previous results are read better than drawn.
    std::vector<std::pair<double, double>> trend(const ReportedResult& result) const {
        std::vector<std::pair<double, double>> points;
        const auto* now = std::get_if<domain::Quantity>(&result.value);
        if (now == nullptr || !result.previous) return points;
        const auto add = [&](const domain::Value& value, const Timestamp& at) {
            const auto* one = std::get_if<domain::Quantity>(&value);
            if (one == nullptr || one->comparator != domain::Comparator::none || one->unit != now->unit) return false;
            const auto when = std::chrono::duration<double>(zone_.to_instant(at).time_since_epoch()).count();
            points.insert(points.begin(), {when, std::strtod(one->number.text().c_str(), nullptr)});
            return true;
        };
        if (!add(result.value, result.measured_at)) return {};
        add(result.previous->value, result.previous->at);
        for (const auto& before : result.earlier) add(before.value, before.at);
        std::ranges::stable_sort(points, {}, &std::pair<double, double>::first);
        if (points.size() < 4 || points.front().first >= points.back().first) return {};
        return points;
    }

    /// Time from left to right, each curve in a scale of its own; the band is what lies within the reference range.
    static void draw_trend(Block& row, std::vector<std::pair<double, double>> points, const domain::Range& range, const Box& frame) {
        const auto [first, last] = std::pair(points.front().first, points.back().first);
        const auto [least, most] = std::ranges::minmax(points, {}, &std::pair<double, double>::second);
        const double low = least.second;
        const double high = most.second;
        const auto height_of = [&](double value) {
            if (high <= low) return frame.y + frame.height / 2;
            return frame.y + frame.height * (high - std::clamp(value, low, high)) / (high - low);
        };
        const auto bound = [](const std::optional<Decimal>& limit, double otherwise) {
            return limit ? std::strtod(limit->text().c_str(), nullptr) : otherwise;
        };
        const double from = bound(range.low, low);
        const double to = bound(range.high, high);
        if (!range.empty() && from <= high && to >= low) {
            const double upper = high <= low ? frame.y : height_of(to);
            const double lower = high <= low ? frame.y + frame.height : height_of(from);
            row.boxes.push_back({frame.x, upper, frame.width, std::max(0.8, lower - upper), band});
        }
        for (auto& [x, y] : points) {
            x = frame.x + frame.width * (x - first) / (last - first);
            y = height_of(y);
        }
        constexpr double dot = 2;
        row.boxes.push_back({points.back().first - dot / 2, points.back().second - dot / 2, dot, dot, ink});
        row.curves.push_back({std::move(points), grey, 0.7});
    }

    void result(const ReportedResult& result, int chapter, const std::string& place) {
        Block row;
        row.chapter = chapter;
        constexpr double y = 3.2;
        const bool flagged = !sign(result.flag).empty();
        const bool critical = is_critical(result.flag);
        const Style value_style = critical ? coloured(sized(strong, 8.6), alert) : sized(flagged ? strong : body, flagged ? 8.6 : 8.2);

        DrawnResult drawn{result.local_code, result.label, domain::to_french(result.value), unit_of(result.value),
                          result.range_text.empty() ? domain::to_french(result.range) : result.range_text, {}, 0, {}};

        Text label = text(result.label, sized(body, 8.2), label_width, place + ".label");
        const double baseline = y + label.baseline();
        double under = y + label.height();
        row.texts.push_back({std::move(label), left, y});
        const auto on_line = [&](Text laid, double x) {  // on the base line of the label
            const double at = baseline - laid.baseline();
            const double end = at + laid.height();
            row.texts.push_back({std::move(laid), x, at});
            under = std::max(under, end);
        };

        double value_under = under;
        if (std::holds_alternative<domain::Quantity>(result.value)) {
            Text value = text(drawn.value, aligned(value_style, Style::Align::right), value_right - value_left, place + ".value");
            const double ink_left = value_right - value.ink_width();
            if (critical) row.boxes.push_back({ink_left - 4, baseline - 8.4, value.ink_width() + 8, 11.6, alert_tint});
            if (critical) row.boxes.push_back({ink_left - 4, baseline - 8.4, value.ink_width() + 8, 11.6, alert, 0.7});
            on_line(std::move(value), value_left);
            if (flagged) {
                const double sign_x = std::min(sign_right, ink_left - 8) - 20;
                on_line(text(sign(result.flag), coloured(aligned(sized(strong, 6.6), Style::Align::right), critical ? alert : ink), 20, place + ".flag"), sign_x);
            }
            if (!drawn.unit.empty()) on_line(text(drawn.unit, sized(body, 7.6), unit_width, place + ".unit"), unit_left);
        } else {
            // Words need room: up to the next column that is used.
            double end = right;
            if (result.previous) end = previous_left - 6;
            if (!drawn.range.empty()) end = range_left - 6;
            if (flagged) {
                on_line(text(sign(result.flag), coloured(aligned(sized(strong, 6.6), Style::Align::right), critical ? alert : ink), 20, place + ".flag"), sign_right - 20);
            }
            Text value = text(drawn.value, value_style, end - value_left, place + ".value");
            if (value.lines() <= 12) {
                on_line(std::move(value), value_left);
            } else {
                value_under = baseline - value.baseline();
                long_value_ = std::move(value);
            }
        }
        if (!drawn.range.empty()) on_line(text(drawn.range, sized(body, 7.6), range_width, place + ".range"), range_left);
        if (result.previous) {
            drawn.previous = domain::to_french(result.previous->value);
            std::string shown = drawn.previous;
            if (const auto unit = unit_of(result.previous->value); !unit.empty() && unit != drawn.unit) shown += " " + unit;
            const Style style = coloured(sized(body, 7.4), grey);
            const auto when = date(result.previous->at);
            Text value = text(shown, aligned(style, Style::Align::right), 0, place + ".previous");
            if (value.ink_width() <= previous_right - previous_left) {
                const double x = previous_right - value.ink_width();
                on_line(std::move(value), x);
                on_line(text(when, sized(small, 6.4), 0, place + ".previous"), date_left);
                if (auto points = trend(result); !points.empty()) {
                    drawn.curve = points.size();
                    draw_trend(row, std::move(points), result.range, {curve_left, baseline - 6.6, right - curve_left - 1, 7.2, {}});
                    has_curves_ = true;
                }
            } else {
                // A long previous answer stands above its date.
                Text wide = text(shown, aligned(style, Style::Align::right), right - previous_left, place + ".previous");
                const double below = baseline - wide.baseline() + wide.height();
                on_line(std::move(wide), previous_left);
                under = std::max(under, put(row, previous_left, below, right - previous_left, when, aligned(sized(small, 6.4), Style::Align::right), place + ".previous"));
            }
        }
        double label_under = row.texts.front().y + row.texts.front().text.height();
        if (const auto print = fine_print(result); !print.empty() && common_print_.back().empty()) {
            label_under = put(row, left, label_under + 0.3, label_width, print, sized(small, 6.2), place + ".method");
        }
        under = std::max(under, label_under);
        row.result = std::move(drawn);

        if (long_value_) {
            // The first lines with the label, then line by line, so that a long text may go over the page.
            row.height = value_under;
            flow_lines(std::move(row), std::move(*long_value_), value_left, value_under, chapter);
            long_value_.reset();
            row = Block{};
            row.chapter = chapter;
            under = 0;
        }
        if (!result.comment.empty()) {
            Text comment = text(result.comment, sized(body, 7.4), content - 16, place + ".comment");
            if (comment.lines() <= 12) {
                const double height = comment.height();
                row.boxes.push_back({left + 4, under + 3, 1.2, height, hairline});
                row.texts.push_back({std::move(comment), left + 11, under + 3});
                under += 3 + height;
            } else {
                row.height = under + 3;
                flow_lines(std::move(row), std::move(comment), left + 11, under + 3, chapter);
                row = Block{};
                row.chapter = chapter;
                under = 0;
            }
        }
        row.height = under + 3.2;
        row.boxes.push_back({left, row.height - 0.35, content, 0.35, hairline});
        flow(std::move(row));
    }

    /// A text that may be longer than a page: one block per line, never fewer than two lines on either side of a break.
    void flow_lines(Block first, Text whole, double x, double y, int chapter) {
        const int count = whole.lines();
        const double line_height = whole.height() / count;
        auto shared = std::make_shared<Text>(std::move(whole));
        for (int i = 0; i < count; ++i) {
            Block block;
            if (i == 0) block = std::move(first);
            const double at = i == 0 ? y : 0;
            block.chapter = chapter;
            block.lines.push_back({shared, x, at, i});
            block.height = std::max(i == 0 ? block.height : 0.0, at + line_height);
            block.keep_with_next = i == 0 || i == count - 2 || i == count - 1;
            flow(std::move(block));
        }
    }

    // ---------------------------------------------------------------------------------------------- the last page

    void ending() {
        if (!flow_.empty()) flow_.back()->keep_with_next = true;  // a signature never stands alone
        if (!report_.comment.empty()) {
            Block block;
            block.space_before = 10;
            double y = put(block, left + 10, 6, content - 20, "Interprétation du biologiste", {.size = 8.6, .bold = true, .colour = accent}, "comment");
            Text comment = text(report_.comment, body, content - 20, "comment");
            if (comment.lines() <= 30) {
                block.keep_with_next = true;
                const double height = comment.height();
                block.texts.push_back({std::move(comment), left + 10, y + 2});
                block.height = y + 2 + height + 6;
                block.boxes.push_back({left, 0, content, block.height, tint});
                flow(std::move(block));
            } else {
                block.height = y + 2;
                flow_lines(std::move(block), std::move(comment), left + 10, y + 2, -1);
            }
        }
        signature();
    }

    void signature() {
        Block block;
        block.space_before = 14;
        const double half = left + content * 0.54;
        const double width = right - half;
        const auto& validator = report_.validator;
        double y = put(block, half, 0, width, "VALIDATION BIOLOGIQUE", caption, "validator");
        y = put(block, half, y + 1.5, width, full_name(validator), {.size = 10, .bold = true, .colour = ink}, "validator");
        std::string quality = validator.speciality.label;
        quality += (quality.empty() ? "RPPS " : " – RPPS ") + validator.rpps.text();
        y = put(block, half, y + 0.5, width, quality, small, "validator.speciality");
        y = put(block, half, y + 2, width, "Validé le " + date_time(report_.validated_at), body, "validated_at");

        std::string in_charge;
        for (const auto& person : report_.entity.biologists_in_charge) in_charge += (in_charge.empty() ? "" : "\n") + full_name(person);
        double ly = field(block, left, 0, half - left - 16,
                          report_.entity.biologists_in_charge.size() > 1 ? "BIOLOGISTES RESPONSABLES" : "BIOLOGISTE RESPONSABLE",
                          in_charge, sized(body, 7.6), "legal_entity.biologists_in_charge");
        if (const auto legend = used_signs(); !legend.empty()) ly = put(block, left, ly + 5, half - left - 16, legend, sized(small, 6.2), "legend");
        block.height = std::max(y, ly) + 4;
        block.boxes.push_back({half - 12, 0, 0.6, block.height - 4, hairline});
        flow(std::move(block));
    }

    /// The legend names only the signs that this report uses.
    std::string used_signs() const {
        std::string legend;
        for (const auto flag : {domain::Flag::high, domain::Flag::low, domain::Flag::critical_high, domain::Flag::critical_low,
                                domain::Flag::abnormal}) {
            const auto flagged = [flag](const ReportedResult& one) { return one.flag == flag; };
            const bool used = std::ranges::any_of(report_.chapters, [&](const domain::ReportedChapter& chapter) {
                return std::ranges::any_of(chapter.results, flagged) ||
                       std::ranges::any_of(chapter.isolates, [&](const auto& isolate) { return std::ranges::any_of(isolate.findings, flagged); });
            });
            if (!used) continue;
            legend += legend.empty() ? "" : "   ";
            legend += replace_all(fmt::format("{} {}", sign(flag), in_words(flag)), " ", "\u00a0");
        }
        if (has_curves_) legend += std::string(legend.empty() ? "" : "\n") + "Courbe : derniers résultats jusqu’à celui-ci ; bande : valeurs de référence.";
        return legend;
    }

    // ------------------------------------------------------------------------------------------------ pagination

    double start_page() {
        auto& page = out_.pages.emplace_back();
        const Block* head = out_.pages.size() == 1 ? letterhead_ : short_letterhead_;
        double y = top_margin;
        page.push_back({head, y});
        y += head->height + 7;
        page.push_back({band_, y});
        y += band_->height;
        at_top_ = true;
        return y;
    }

    void place(const Block* block, double& y) {
        if (!at_top_) y += block->space_before;
        out_.pages.back().push_back({block, y});
        y += block->height;
        at_top_ = false;
    }

    void paginate() {
        double y = start_page();
        at_top_ = false;  // the first blocks keep their distance from the band
        bool header_here = false;
        const auto new_page = [&](const Block& first) {
            y = start_page() + 8;
            header_here = first.chapter >= 0;
            if (!header_here) {
                y += 5;
                return;
            }
            place(table_header_, y);
            if (!first.heading) place(continuations_[static_cast<std::size_t>(first.chapter)], y);
            if (first.again != nullptr) place(first.again, y);
            at_top_ = true;
        };
        for (std::size_t i = 0; i < flow_.size();) {
            std::size_t end = i + 1;
            double height = flow_[i]->space_before + flow_[i]->height;
            if (flow_[i]->chapter >= 0 && !header_here) height += table_header_->space_before + table_header_->height;
            while (end < flow_.size() && flow_[end - 1]->keep_with_next) {
                height += flow_[end]->space_before + flow_[end]->height;
                ++end;
            }
            const double page_room = bottom - (top_margin + short_letterhead_->height + 7 + band_->height + 8 +
                                               table_header_->height + 24);
            // What can't stay together on any page is broken between its blocks.
            const bool together = height <= page_room;
            if (together && y + height > bottom) new_page(*flow_[i]);
            for (; i < end; ++i) {
                const Block& block = *flow_[i];
                if (y + block.space_before + block.height > bottom) new_page(block);
                if (block.chapter >= 0 && !header_here) {
                    place(table_header_, y);
                    header_here = true;
                    at_top_ = true;
                }
                place(&block, y);
            }
        }
    }

    void footers() {
        const auto count = out_.pages.size();
        const auto& entity = report_.entity;
        for (std::size_t i = 0; i < count; ++i) {
            Block block;
            block.boxes.push_back({left, 0, content, 0.5, hairline});
            const std::string page = fmt::format("Page {} / {}", i + 1, count);
            put(block, right - 90, 5, 90, page, aligned(sized(strong, 7.2), Style::Align::right), "page");
            put(block, left, 5, content - 100,
                fmt::format("{} – {} – {}", entity.name, entity.legal_form, one_line(report_.site.address)), sized(small, 6.2), "footer");
            put(block, left, 13.5, content - 100,
                fmt::format("Dossier n° {} – version {} – document {}", report_.order_number, report_.ids.version, report_.ids.document_oid),
                sized(small, 5.6), "footer");
            out_.pages[i].push_back({&add(std::move(block)), footer_top});
        }
    }

    const Report& report_;
    Typesetter& set_;
    const TimeZone& zone_;
    LaidOut out_;
    std::vector<Block*> flow_;
    std::vector<const Block*> continuations_;
    std::vector<std::string> common_print_;  ///< per chapter
    const Block* letterhead_{};
    const Block* short_letterhead_{};
    const Block* band_{};
    const Block* table_header_{};
    std::optional<Text> long_value_;
    bool at_top_{true};
    bool has_curves_{};
};

}  // namespace

LaidOut lay_out(const Report& report, Typesetter& typesetter) { return Layout{report, typesetter}.make(); }

}  // namespace sgl::compose
