#include "server/export_fields.h"

#include <algorithm>
#include <array>

#include "storage/base/assert.h"

namespace outcrop::server {
namespace {

using nfs::Export;

struct Field {
  std::string_view name;
  std::optional<Expected> (*set)(Export& e, const ConfigValue& v);
  ConfigValue (*get)(const Export& e);
};

template <class T>
using Words = std::array<std::pair<std::string_view, T>, 3>;

constexpr std::array<std::pair<std::string_view, bool>, 2> kAccess = {
    {{"rw", false}, {"ro", true}}};
constexpr Words<nfs::Squash> kSquash = {
    {{"root", nfs::Squash::root}, {"all", nfs::Squash::all}, {"none", nfs::Squash::none}}};
constexpr Words<nfs::TransportSecurity> kSecurity = {{{"none", nfs::TransportSecurity::none},
                                                      {"tls", nfs::TransportSecurity::tls},
                                                      {"mtls", nfs::TransportSecurity::mtls}}};

template <class T, std::size_t N>
std::optional<Expected> choose(T& to,
                               const ConfigValue& v,
                               const std::array<std::pair<std::string_view, T>, N>& words) {
  const auto* text = std::get_if<std::string>(&v);
  std::string expected = "one of";
  for (const auto& [word, value] : words) {
    if (text != nullptr && *text == word) {
      to = value;
      return std::nullopt;
    }
    expected.append(expected.ends_with('f') ? " \"" : ", \"").append(word).append("\"");
  }
  return expected;
}

template <class T, std::size_t N>
std::string word_for(T value, const std::array<std::pair<std::string_view, T>, N>& words) {
  const auto* const it = std::ranges::find(words, value, &std::pair<std::string_view, T>::second);
  return std::string(it->first);
}

std::optional<Expected> set_text(std::string& to, const ConfigValue& v) {
  const auto text = read_string(v);
  if (!text) {
    return text.error();
  }
  to = *text;
  return std::nullopt;
}

std::optional<Expected> set_id(std::uint32_t& to, const ConfigValue& v) {
  // All ones mean "no change" in chown(2), so they are no id.
  const auto n = read_count(v, false, 0, UINT32_MAX - 1);
  if (!n) {
    return n.error();
  }
  to = static_cast<std::uint32_t>(*n);
  return std::nullopt;
}

std::optional<Expected> set_clients(Export& e, const ConfigValue& v) {
  const auto list = read_list(v, false);
  std::vector<nfs::Cidr> clients;
  bool good = list.has_value() && list->size() <= nfs::kMaxExportClients;
  for (std::size_t i = 0; good && i < list->size(); ++i) {
    const std::optional<nfs::Cidr> one = nfs::parse_cidr((*list)[i]);
    good = one.has_value();
    if (good) {
      clients.push_back(*one);
    }
  }
  if (!good) {
    return "at most " + std::to_string(nfs::kMaxExportClients) +
           " addresses or blocks, like [\"10.1.0.0/16\", \"fd00::/8\"]";
  }
  e.clients = std::move(clients);
  return std::nullopt;
}

ConfigValue get_clients(const Export& e) {
  std::vector<std::string> out;
  for (const nfs::Cidr& c : e.clients) {
    out.push_back(c.to_string());
  }
  return out;
}

using V = const ConfigValue&;
constexpr std::array kFields = {
    Field{"path", [](Export& e, V v) { return set_text(e.path, v); },
          [](const Export& e) -> ConfigValue { return e.path; }},
    Field{"bucket", [](Export& e, V v) { return set_text(e.bucket, v); },
          [](const Export& e) -> ConfigValue { return e.bucket; }},
    Field{"prefix", [](Export& e, V v) { return set_text(e.prefix, v); },
          [](const Export& e) -> ConfigValue { return e.prefix; }},
    Field{"clients", set_clients, get_clients},
    Field{"access", [](Export& e, V v) { return choose(e.read_only, v, kAccess); },
          [](const Export& e) -> ConfigValue { return word_for(e.read_only, kAccess); }},
    Field{"squash", [](Export& e, V v) { return choose(e.squash, v, kSquash); },
          [](const Export& e) -> ConfigValue { return word_for(e.squash, kSquash); }},
    Field{"anon_uid", [](Export& e, V v) { return set_id(e.anon_uid, v); },
          [](const Export& e) -> ConfigValue { return std::int64_t{e.anon_uid}; }},
    Field{"anon_gid", [](Export& e, V v) { return set_id(e.anon_gid, v); },
          [](const Export& e) -> ConfigValue { return std::int64_t{e.anon_gid}; }},
    Field{"identity", [](Export& e, V v) { return set_text(e.identity, v); },
          [](const Export& e) -> ConfigValue { return e.identity; }},
    Field{"xprtsec", [](Export& e, V v) { return choose(e.security, v, kSecurity); },
          [](const Export& e) -> ConfigValue { return word_for(e.security, kSecurity); }},
};

constexpr auto kNames = [] {
  std::array<std::string_view, kFields.size()> names;
  std::ranges::transform(kFields, names.begin(), &Field::name);
  return names;
}();

const Field& field(std::string_view name) {
  const auto* const it = std::ranges::find(kFields, name, &Field::name);
  OUTCROP_ASSERT(it != kFields.end());
  return *it;
}

}  // namespace

std::span<const std::string_view> export_fields() { return kNames; }

std::optional<Expected> set_export_field(Export& e,
                                         std::string_view name,
                                         const ConfigValue& value) {
  return field(name).set(e, value);
}

std::string finish_export(Export& e) {
  if (e.path.empty() && !e.bucket.empty()) {
    e.path = "/" + e.bucket;
  }
  if (e.bucket.empty()) {
    return "bucket: missing; name the bucket to export";
  }
  if (e.clients.empty()) {
    return "clients: missing; say who may mount it, like [\"10.1.0.0/16\"]";
  }
  return complaint_about(e);
}

ConfigValue export_field(const Export& e, std::string_view name) { return field(name).get(e); }

}  // namespace outcrop::server
