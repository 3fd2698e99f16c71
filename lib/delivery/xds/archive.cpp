#include "lib/delivery/xds/archive.hpp"

#include <zip.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_set>

#include "lib/base/text.hpp"

namespace sgl::xds {

namespace {

Error refused(std::size_t member, std::string_view what) {
    return Error{Fault::refused, "member " + std::to_string(member + 1), std::string(what)};
}

bool is_device(std::string_view step) {
    constexpr std::array<std::string_view, 6> devices{"CON", "PRN", "AUX", "NUL", "COM", "LPT"};
    const auto upper = to_upper_ascii(step.substr(0, step.find('.')));
    return std::ranges::any_of(devices, [&](std::string_view device) {
        if (!upper.starts_with(device)) return false;
        const auto rest = std::string_view(upper).substr(device.size());
        return device == "COM" || device == "LPT" ? rest.size() == 1 && rest[0] >= '0' && rest[0] <= '9' : rest.empty();
    });
}

bool is_plain_name(std::string_view name) {
    if (name.empty() || name.size() > 200 || name.front() == '/') return false;
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && std::string_view("._-/ ()").find(c) == std::string_view::npos) return false;
    }
    const auto folder = name.ends_with('/') ? name.substr(0, name.size() - 1) : name;
    const auto steps = split(folder, '/');
    return steps.size() <= 8 && std::ranges::none_of(steps, [](std::string_view step) {
               return step.empty() || step == "." || step == ".." || is_device(step);
           });
}

struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct Close {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace

bool is_archive(std::string_view bytes) {
    return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

bool is_xdm_document(std::string_view name) {
    const auto upper = to_upper_ascii(name);
    return upper.starts_with("IHE_XDM/") && !upper.ends_with("/METADATA.XML") && std::ranges::count(upper, '/') >= 2;
}

Result<std::vector<ArchiveMember>> read_archive(std::string_view bytes) {
    const Error no_zip{Fault::malformed, {}, "this is no zip archive, or a damaged one"};
    if (bytes.size() > max_archive_bytes) return Error{Fault::refused, {}, "the archive is too large"};
    if (!is_archive(bytes)) return no_zip;
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    zip_t* const opened = source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error);
    zip_error_fini(&error);
    if (opened == nullptr) {
        zip_source_free(source);
        return no_zip;
    }
    const std::unique_ptr<zip_t, Discard> archive(opened);
    const auto count = zip_get_num_entries(archive.get(), 0);
    if (count < 0 || static_cast<std::size_t>(count) > max_archive_members)
        return Error{Fault::refused, {}, "the archive has too many members"};

    std::vector<ArchiveMember> members;
    std::unordered_set<std::string> names;
    std::size_t inflated = 0;
    const auto limit = std::min(max_inflated_bytes, bytes.size() * max_inflation);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        zip_stat_t stat;
        zip_stat_init(&stat);
        if (zip_stat_index(archive.get(), i, ZIP_FL_ENC_RAW, &stat) != 0 || (stat.valid & ZIP_STAT_NAME) == 0)
            return no_zip;
        std::string name(stat.name);
        if (!is_plain_name(name)) return refused(i, "the name of a member leads elsewhere or has unusual characters");
        if (!names.insert(to_upper_ascii(name)).second) return refused(i, "two members have the same name");
        if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE)
            return refused(i, "an encrypted member");
        zip_uint8_t system = 0;
        zip_uint32_t attributes = 0;
        constexpr zip_uint32_t kind_of_file = 0170000;
        constexpr zip_uint32_t symbolic_link = 0120000;
        if (zip_file_get_external_attributes(archive.get(), i, 0, &system, &attributes) == 0 &&
            system == ZIP_OPSYS_UNIX && ((attributes >> 16U) & kind_of_file) == symbolic_link)
            return refused(i, "a link instead of a file");
        if (name.ends_with('/')) continue;
        const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(archive.get(), i, 0));
        if (!file) return no_zip;
        std::string content;
        std::array<char, 64 * 1024> chunk{};
        for (;;) {
            const auto got = zip_fread(file.get(), chunk.data(), chunk.size());
            if (got < 0)
                return Error{Fault::malformed, "member " + std::to_string(i + 1), "a member fails its checksum"};
            if (got == 0) break;
            inflated += static_cast<std::size_t>(got);
            if (inflated > limit) return refused(i, "the archive inflates too much");
            content.append(chunk.data(), static_cast<std::size_t>(got));
        }
        if (is_archive(content)) return refused(i, "an archive inside the archive");
        members.push_back({std::move(name), std::move(content)});
    }
    return members;
}

}  // namespace sgl::xds
