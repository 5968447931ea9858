#include "auth/target.h"

#include <algorithm>
#include <cstdint>

#include "auth/uri.h"

namespace outcrop::auth {
namespace {

/// Length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none. Overlong
/// forms and surrogates are ill-formed: two spellings of one name would be two names.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const std::uint8_t second = byte(1);
  const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return bad ? 0 : length;
}

Result<std::string> decode(std::string_view encoded) {
  std::string text;
  text.reserve(encoded.size());
  if (!uri_decode(encoded, text)) {
    return fail(Errc::invalid_argument, "invalid percent-escape or NUL in a request target");
  }
  TRYV(check_key(text));
  return text;
}

Result<std::string> decode_bucket(std::string_view encoded) {
  TRY(std::string bucket, decode(encoded));
  if (bucket.find('/') != std::string::npos) {
    return fail(Errc::invalid_argument, "an escaped slash in a bucket name");
  }
  return bucket;
}

Result<std::vector<QueryParam>> decode_query(std::string_view rest) {
  std::vector<QueryParam> params;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = pair.find('=');
    TRY(std::string name, decode(pair.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      TRY(value, decode(pair.substr(equals + 1)));
    }
    params.push_back({std::move(name), std::move(value)});
  }
  return params;
}

/// The Host header as a lower-case name, without port and final dot. IPv6 literals stay whole.
std::string host_name(std::string_view host) {
  if (!host.starts_with('[')) {
    host = host.substr(0, host.find(':'));
  }
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  std::string name(host);
  for (char& c : name) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

/// The labels of `host` in front of the longest matching domain; empty if no domain matches.
std::string_view bucket_label(std::string_view host, std::span<const std::string> domains) {
  std::string_view best;
  std::size_t longest = 0;
  for (const std::string& domain : domains) {
    if (domain.size() < longest || domain.empty() || !host.ends_with(domain)) {
      continue;
    }
    const std::string_view before = host.substr(0, host.size() - domain.size());
    if (before.empty() || before.ends_with('.')) {
      longest = domain.size();
      best = before.empty() ? before : before.substr(0, before.size() - 1);
    }
  }
  return best;
}

bool is_host_text(std::string_view label) {
  return std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

Result<void> check_key(std::string_view key) {
  while (!key.empty()) {
    const std::size_t length = utf8_length(key);
    if (length == 0 || key.front() == '\0') {
      return fail(Errc::invalid_argument, "a name that is not UTF-8 or holds NUL");
    }
    key.remove_prefix(length);
  }
  return ok();
}

Result<Target> split_target(std::string_view raw,
                            std::string_view host,
                            std::span<const std::string> domains) {
  if (!raw.starts_with('/')) {
    return fail(Errc::invalid_argument, "a request target that does not start with a slash");
  }
  Target target;
  const std::size_t mark = raw.find('?');
  std::string_view path = raw.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  if (mark != std::string_view::npos) {
    TRY(target.query, decode_query(raw.substr(mark + 1)));
  }
  const std::string name = host_name(host);
  const std::string_view label = bucket_label(name, domains);
  if (!label.empty()) {
    if (!is_host_text(label)) {
      return fail(Errc::invalid_argument, "a Host header that is not a host name");
    }
    target.bucket = label;
    target.virtual_host = true;
  } else {
    const std::string_view bucket = path.substr(0, path.find('/'));
    if (bucket.empty() && !path.empty()) {
      return fail(Errc::invalid_argument, "a key without a bucket");
    }
    TRY(target.bucket, decode_bucket(bucket));
    path.remove_prefix(std::min(bucket.size() + 1, path.size()));
  }
  TRY(target.key, decode(path));
  return target;
}

Result<CopySource> split_copy_source(std::string_view value) {
  CopySource source;
  const std::size_t mark = value.find('?');
  std::string_view path = value.substr(0, mark);
  if (path.starts_with('/')) {
    path.remove_prefix(1);
  }
  const std::size_t slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == path.size()) {
    return fail(Errc::invalid_argument, "a copy source without bucket or key");
  }
  TRY(source.bucket, decode_bucket(path.substr(0, slash)));
  TRY(source.key, decode(path.substr(slash + 1)));
  if (mark != std::string_view::npos) {
    TRY(std::vector<QueryParam> query, decode_query(value.substr(mark + 1)));
    if (query.size() != 1 || query[0].name != "versionId") {
      return fail(Errc::invalid_argument, "a copy source with a query other than versionId");
    }
    source.version_id = std::move(query[0].value);
  }
  return source;
}

}  // namespace outcrop::auth
