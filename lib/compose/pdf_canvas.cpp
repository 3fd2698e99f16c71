#include "lib/compose/pdf_canvas.hpp"

#include <cairo-pdf.h>
#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-fontmap.h>

#include <array>
#include <mutex>
#include <stdexcept>

#include "lib/base/text.hpp"

namespace sgl::compose {

namespace {

constexpr const char* family = "DejaVu Sans";

PangoFontMap* as_font_map(void* handle) { return static_cast<PangoFontMap*>(handle); }
PangoContext* as_context(void* handle) { return static_cast<PangoContext*>(handle); }

/// Pango asks fontconfig for the host's configuration as soon as a font map exists; this process has an empty one instead.
void forget_host_fonts() {
    static std::once_flag once;
    std::call_once(once, [] {
        FcConfig* none = FcConfigCreate();
        FcConfigSetCurrent(none);
        FcConfigDestroy(none);
    });
}

double points(int pango_units) { return pango_units_to_double(pango_units); }

/// Blanks other than line ends would be boxes on paper.
bool has_control(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return true;
    }
    return text.find('\x7f') != std::string_view::npos;
}

}  // namespace

void Text::Release::operator()(_PangoLayout* layout) const { g_object_unref(layout); }
int Text::lines() const { return pango_layout_get_line_count(layout_.get()); }

void Typesetter::FreeConfig::operator()(void* config) const { FcConfigDestroy(static_cast<FcConfig*>(config)); }
void Typesetter::FreeFontMap::operator()(void* map) const {
    // Pango 1.50 forgets its reference to the configuration when the map ends; taking it back frees the fonts.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): GObject's inheritance
    pango_fc_font_map_set_config(reinterpret_cast<PangoFcFontMap*>(as_font_map(map)), nullptr);
    g_object_unref(map);
}
void Typesetter::FreeObject::operator()(void* object) const { g_object_unref(object); }
void Typesetter::FreeDescription::operator()(_PangoFontDescription* description) const {
    pango_font_description_free(description);
}

Typesetter::Typesetter() = default;
Typesetter::Typesetter(Typesetter&&) noexcept = default;
Typesetter& Typesetter::operator=(Typesetter&&) noexcept = default;
Typesetter::~Typesetter() = default;

Result<Typesetter> Typesetter::open(const std::filesystem::path& fonts) {
    forget_host_fonts();
    Typesetter typesetter;
    // A configuration of our own, with these two files and nothing else: neither the host's fonts nor its rules.
    typesetter.config_.reset(FcConfigCreate());
    auto* config = static_cast<FcConfig*>(typesetter.config_.get());
    for (const char* name : {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf"}) {
        const auto file = (fonts / name).string();
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): FcChar8 is unsigned char
        if (FcConfigAppFontAddFile(config, reinterpret_cast<const FcChar8*>(file.c_str())) == FcFalse) {
            return Error{Fault::unavailable, file, "the font of the reports can't be read (package fonts-dejavu-core)"};
        }
    }
    typesetter.font_map_.reset(pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT));
    auto* map = as_font_map(typesetter.font_map_.get());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): GObject's inheritance
    pango_fc_font_map_set_config(reinterpret_cast<PangoFcFontMap*>(map), config);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    pango_cairo_font_map_set_resolution(reinterpret_cast<PangoCairoFontMap*>(map), 72.0);
    typesetter.context_.reset(pango_font_map_create_context(map));
    auto* context = as_context(typesetter.context_.get());
    pango_context_set_language(context, pango_language_from_string("fr-FR"));
    pango_context_set_base_dir(context, PANGO_DIRECTION_LTR);
    pango_context_set_round_glyph_positions(context, FALSE);
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
    return typesetter;
}

Text Typesetter::text(std::string_view utf8, const Style& style, double width, std::string_view place) {
    if (!error_ && (!is_utf8(utf8) || has_control(utf8))) {
        error_ = Error{Fault::malformed, std::string(place), "the text is not clean UTF-8 and can't be printed"};
    }
    if (error_) utf8 = {};
    auto& description = descriptions_[{style.size, style.bold}];
    if (!description) {
        description.reset(pango_font_description_new());
        pango_font_description_set_family_static(description.get(), family);
        pango_font_description_set_weight(description.get(), style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
        pango_font_description_set_absolute_size(description.get(), style.size * PANGO_SCALE);
    }
    Text text;
    text.layout_.reset(pango_layout_new(as_context(context_.get())));
    text.colour_ = style.colour;
    auto* layout = text.layout_.get();
    pango_layout_set_font_description(layout, description.get());
    pango_layout_set_text(layout, utf8.data(), static_cast<int>(utf8.size()));
    pango_layout_set_auto_dir(layout, FALSE);
    // No ligature: a reader who searches "final" must find it, and so must who copies a result.
    PangoAttrList* attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_font_features_new("liga=0, clig=0"));
    if (style.tracking > 0) {
        pango_attr_list_insert(attributes, pango_attr_letter_spacing_new(pango_units_from_double(style.tracking)));
    }
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
    if (width > 0) {
        pango_layout_set_width(layout, pango_units_from_double(width));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    }
    switch (style.align) {
        case Style::Align::left: break;
        case Style::Align::right: pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT); break;
        case Style::Align::centre: pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER); break;
    }
    if (!error_ && pango_layout_get_unknown_glyphs_count(layout) > 0) {
        error_ = Error{Fault::unsupported, std::string(place), "the text has a character that the fonts of the report can't show"};
    }
    PangoRectangle logical;
    pango_layout_get_extents(layout, nullptr, &logical);
    text.height_ = points(logical.height);
    text.width_ = points(logical.width);
    text.baseline_ = points(pango_layout_get_baseline(layout));
    return text;
}

std::optional<Error> Typesetter::take_error() { return std::exchange(error_, std::nullopt); }

struct PdfSurface::Inside {
    std::string bytes;
    cairo_surface_t* surface{};
    cairo_t* cairo{};

    Inside() {
        surface = cairo_pdf_surface_create_for_stream(
            [](void* closure, const unsigned char* data, unsigned size) {
                // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes
                static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), size);
                return CAIRO_STATUS_SUCCESS;
            },
            &bytes, page_width, page_height);
        cairo_pdf_surface_restrict_to_version(surface, CAIRO_PDF_VERSION_1_4);
        cairo = cairo_create(surface);
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() {
        cairo_destroy(cairo);
        cairo_surface_destroy(surface);
    }
    void colour(const Colour& c) const { cairo_set_source_rgb(cairo, c.red, c.green, c.blue); }
};

PdfSurface::PdfSurface() : inside_(std::make_unique<Inside>()) {}
PdfSurface::~PdfSurface() = default;

void PdfSurface::draw(const PlacedText& piece, double top) {
    inside_->colour(piece.text.colour_);
    cairo_move_to(inside_->cairo, piece.x, top + piece.y);
    pango_cairo_show_layout(inside_->cairo, piece.text.layout_.get());
}

void PdfSurface::draw_line(const Text& text, int line, double x, double top) {
    PangoLayoutLine* one = pango_layout_get_line_readonly(text.layout_.get(), line);
    if (one == nullptr) return;
    inside_->colour(text.colour_);
    PangoRectangle logical;
    pango_layout_line_get_extents(one, nullptr, &logical);
    cairo_move_to(inside_->cairo, x, top - points(logical.y));
    pango_cairo_show_layout_line(inside_->cairo, one);
}

void PdfSurface::draw(const Box& box, double top) {
    inside_->colour(box.colour);
    cairo_rectangle(inside_->cairo, box.x, top + box.y, box.width, box.height);
    if (box.line > 0) {
        cairo_set_line_width(inside_->cairo, box.line);
        cairo_stroke(inside_->cairo);
    } else {
        cairo_fill(inside_->cairo);
    }
}

void PdfSurface::draw(const Curve& curve, double top) {
    inside_->colour(curve.colour);
    cairo_new_path(inside_->cairo);
    for (const auto& [x, y] : curve.points)
        cairo_line_to(inside_->cairo, x, top + y);
    cairo_set_line_width(inside_->cairo, curve.line);
    cairo_set_line_join(inside_->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(inside_->cairo);
}

void PdfSurface::next_page() { cairo_show_page(inside_->cairo); }

std::string PdfSurface::finish() {
    cairo_surface_finish(inside_->surface);
    if (const auto status = cairo_surface_status(inside_->surface); status != CAIRO_STATUS_SUCCESS) {
        throw std::runtime_error(std::string("cairo: ") + cairo_status_to_string(status));
    }
    return std::move(inside_->bytes);
}

}  // namespace sgl::compose
