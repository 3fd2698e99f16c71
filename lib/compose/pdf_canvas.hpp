// Texts, rules and boxes on paper, in points from the top left corner: a thin layer over cairo and pango, so that the
// layout of a report can be plain values. Internal to compose.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"

// The C libraries' handles, so that including this costs nothing.
struct _PangoLayout;
struct _PangoFontDescription;

namespace sgl::compose {

struct Colour {
    double red{};
    double green{};
    double blue{};
};

struct Style {
    enum class Align : std::uint8_t { left, right, centre };
    double size{8};  ///< points
    bool bold{false};
    Colour colour{};
    Align align{Align::left};
    double tracking{0};  ///< added between letters, points
};

/// A paragraph, measured: lines already broken to its width.
class Text {
public:
    double height() const { return height_; }
    double ink_width() const { return width_; }     ///< of the widest line
    double baseline() const { return baseline_; }   ///< of the first line, from the top
    int lines() const;

private:
    friend class Typesetter;
    friend class PdfSurface;
    struct Release {
        void operator()(_PangoLayout* layout) const;
    };
    std::unique_ptr<_PangoLayout, Release> layout_;
    Colour colour_;
    double height_{};
    double width_{};
    double baseline_{};
};

/// Something drawn inside a block, relative to the block's top and the page's left edge.
struct PlacedText {
    Text text;
    double x{};
    double y{};
};
struct Box {
    double x{};
    double y{};
    double width{};
    double height{};
    Colour colour;
    double line{};  ///< width of the outline; 0: filled
};

/// A line through points, as thin as a trend wants.
struct Curve {
    std::vector<std::pair<double, double>> points;  ///< x, y
    Colour colour;
    double line{0.7};
};

/// Lays text out with the two fonts of the folder, whatever the host has installed. One thread at a time.
class Typesetter {
public:
    static Result<Typesetter> open(const std::filesystem::path& fonts);
    Typesetter(Typesetter&&) noexcept;
    Typesetter& operator=(Typesetter&&) noexcept;
    ~Typesetter();

    /// Breaks `utf8` to lines of at most `width` points; 0: one line per paragraph. `place` names it if it can't be shown.
    Text text(std::string_view utf8, const Style& style, double width, std::string_view place);

    /// The first text that could not be laid out faithfully since the last call; forgotten by the call.
    std::optional<Error> take_error();

private:
    Typesetter();
    struct FreeConfig {
        void operator()(void* config) const;
    };
    struct FreeFontMap {
        void operator()(void* map) const;
    };
    struct FreeObject {
        void operator()(void* object) const;
    };
    struct FreeDescription {
        void operator()(_PangoFontDescription* description) const;
    };

    std::unique_ptr<void, FreeConfig> config_;
    std::unique_ptr<void, FreeFontMap> font_map_;
    std::unique_ptr<void, FreeObject> context_;
    std::map<std::pair<double, bool>, std::unique_ptr<_PangoFontDescription, FreeDescription>> descriptions_;
    std::optional<Error> error_;
};

inline constexpr double page_width = 595.276;   ///< A4, points
inline constexpr double page_height = 841.890;

/// A PDF 1.4 in memory, page after page.
class PdfSurface {
public:
    PdfSurface();
    ~PdfSurface();
    PdfSurface(const PdfSurface&) = delete;
    PdfSurface& operator=(const PdfSurface&) = delete;

    void draw(const PlacedText& piece, double top);
    void draw_line(const Text& text, int line, double x, double top);  ///< that line alone
    void draw(const Box& box, double top);
    void draw(const Curve& curve, double top);
    void next_page();

    /// The bytes as cairo wrote them; nothing can be drawn afterwards. A failure inside cairo throws.
    std::string finish();

private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace sgl::compose
