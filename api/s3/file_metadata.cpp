#include "api/s3/file_metadata.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "api/s3/headers.h"

namespace outcrop::s3 {
namespace {

constexpr std::string_view kCommonPrefix = "file-";
constexpr std::uint32_t kTypeMask = 0170000;
constexpr std::uint32_t kRegular = 0100000;
constexpr std::uint32_t kPermissionBits = 0777;
constexpr std::int64_t kNsPerMs = 1'000'000;

template <class Number>
std::optional<Number> whole(std::string_view text, int base = 10) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

std::optional<std::uint32_t> permissions_of(std::string_view text) {
  const auto mode = whole<std::uint32_t>(text, 8);
  const std::uint32_t type = mode.value_or(0) & kTypeMask;
  if (!mode || *mode > (kTypeMask | 07777u) || (type != 0 && type != kRegular)) {
    return std::nullopt;
  }
  return *mode & kPermissionBits;
}

// The largest is what NFS has for "nobody": no owner can be set to it.
std::optional<std::uint32_t> id_of(std::string_view text) {
  const auto id = whole<std::uint32_t>(text);
  return id == std::numeric_limits<std::uint32_t>::max() ? std::nullopt : id;
}

std::optional<std::int64_t> time_of(std::string_view text) {
  const bool ns = text.ends_with("ns");
  const auto value = whole<std::int64_t>(ns ? text.substr(0, text.size() - 2) : text);
  if (ns || !value) {
    return value;
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / kNsPerMs;
  return *value > kMost || *value < -kMost ? std::nullopt : std::optional(*value * kNsPerMs);
}

std::string octal_mode(std::uint32_t mode) {
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.begin(), text.end(), kRegular | (mode & kPermissionBits), 8);
  return "0" + std::string(text.data(), end.ptr);
}

struct Field {
  std::string_view name;
  void (*read)(std::string_view text, ns::FileFields& out);
  bool (*same)(const ns::FileFields& a, const ns::FileFields& b);
  std::optional<std::string> (*text)(const ns::FileFields& fields);
};

template <class Number>
std::optional<std::string> decimal(std::optional<Number> value) {
  return value ? std::optional(std::to_string(*value)) : std::nullopt;
}

using F = ns::FileFields;
constexpr std::array<Field, 4> kFields{{
    {"file-permissions", [](std::string_view t, F& f) { f.mode = permissions_of(t); },
     [](const F& a, const F& b) { return a.mode == b.mode; },
     [](const F& f) {
       return f.mode ? std::optional(octal_mode(*f.mode)) : std::optional<std::string>();
     }},
    {"file-owner", [](std::string_view t, F& f) { f.uid = id_of(t); },
     [](const F& a, const F& b) { return a.uid == b.uid; },
     [](const F& f) { return decimal(f.uid); }},
    {"file-group", [](std::string_view t, F& f) { f.gid = id_of(t); },
     [](const F& a, const F& b) { return a.gid == b.gid; },
     [](const F& f) { return decimal(f.gid); }},
    {"file-mtime", [](std::string_view t, F& f) { f.mtime_ns = time_of(t); },
     [](const F& a, const F& b) { return a.mtime_ns == b.mtime_ns; },
     [](const F& f) {
       return f.mtime_ns ? std::optional(std::to_string(*f.mtime_ns) + "ns")
                         : std::optional<std::string>();
     }},
}};

const Field* field_named(std::string_view name) {
  if (!name.starts_with(kCommonPrefix)) {
    return nullptr;
  }
  const auto* const it = std::ranges::find(kFields, name, &Field::name);
  return it == kFields.end() ? nullptr : it;
}

void add(http::Response& response, std::string_view name, std::string value) {
  response.set(std::string(kMetaPrefix).append(name), std::move(value));
}

}  // namespace

ns::FileFields file_fields_of(const ns::StringPairs& user_meta) {
  ns::FileFields out;
  for (const auto& [name, text] : user_meta) {
    if (const Field* field = field_named(name)) {
      field->read(text, out);
    }
  }
  return out;
}

void add_user_metadata(const ns::ObjectInfo& info, bool as_file, http::Response& response) {
  if (!info.file || !as_file) {
    for (const auto& [name, value] : info.attributes.user_meta) {
      add(response, name, value);
    }
    return;
  }
  ns::FileFields now = *info.file;
  now.mode = now.mode.value_or(0) & kPermissionBits;
  const ns::FileFields stored = file_fields_of(info.attributes.user_meta);
  std::array<bool, kFields.size()> verbatim{};
  for (const auto& [name, value] : info.attributes.user_meta) {
    const Field* const field = field_named(name);
    if (field && !field->same(stored, now) && field->text(now)) {
      continue;
    }
    if (field) {
      verbatim[static_cast<std::size_t>(field - kFields.data())] = true;
    }
    add(response, name, value);
  }
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    auto text = verbatim[i] ? std::nullopt : kFields[i].text(now);
    if (text) {
      add(response, kFields[i].name, *std::move(text));
    }
  }
}

}  // namespace outcrop::s3
