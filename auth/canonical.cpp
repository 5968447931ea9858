#include "auth/canonical.h"

#include <algorithm>

#include "auth/uri.h"

namespace outcrop::auth {
namespace {

/// Runs of blanks become one space and the ends are trimmed, as every AWS signer does.
void append_collapsed(std::string_view value, std::string& out) {
  static constexpr std::string_view kBlanks = " \t";
  std::string_view separator;
  for (;;) {
    const std::size_t first = value.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) {
      return;
    }
    value.remove_prefix(first);
    const std::string_view word = value.substr(0, value.find_first_of(kBlanks));
    out.append(separator).append(word);
    value.remove_prefix(word.size());
    separator = " ";
  }
}

bool append_header(const http::Request& request, std::string_view name, std::string& out) {
  bool found = false;
  for (const http::Header& header : request.headers) {
    if (header.name != name) {
      continue;
    }
    if (found) {
      out.push_back(',');
    } else {
      out.append(name).push_back(':');
    }
    append_collapsed(header.value, out);
    found = true;
  }
  out.push_back('\n');
  return found;
}

}  // namespace

bool CanonicalQuery::parse(std::string_view target) {
  x_text.clear();
  x_extents.clear();
  x_params.clear();
  const std::size_t mark = target.find('?');
  std::string_view rest =
      mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = pair.find('=');
    Extent extent{x_text.size(), 0, 0};
    if (!uri_recode(pair.substr(0, equals), Slash::encode, x_text)) {
      return false;
    }
    extent.middle = x_text.size();
    if (equals != std::string_view::npos &&
        !uri_recode(pair.substr(equals + 1), Slash::encode, x_text)) {
      return false;
    }
    extent.end = x_text.size();
    x_extents.push_back(extent);
  }
  const std::string_view text = x_text;
  for (const Extent& e : x_extents) {
    x_params.push_back(
        {text.substr(e.begin, e.middle - e.begin), text.substr(e.middle, e.end - e.middle)});
  }
  return true;
}

void CanonicalQuery::append_sorted(std::string& out) {
  x_sorted.assign(x_params.begin(), x_params.end());
  std::erase_if(x_sorted, [](const Param& p) { return p.name == "X-Amz-Signature"; });
  std::ranges::sort(x_sorted, [](const Param& a, const Param& b) {
    return a.name != b.name ? a.name < b.name : a.value < b.value;
  });
  for (std::size_t i = 0; i < x_sorted.size(); ++i) {
    if (i > 0) {
      out.push_back('&');
    }
    out.append(x_sorted[i].name).push_back('=');
    out.append(x_sorted[i].value);
  }
}

bool append_canonical_request(const http::Request& request,
                              CanonicalQuery& query,
                              const SignedParts& parts,
                              std::string& out) {
  const std::string_view target = request.target;
  out.append(request.method).push_back('\n');
  if (!uri_recode(target.substr(0, target.find('?')), Slash::keep, out)) {
    return false;
  }
  out.push_back('\n');
  query.append_sorted(out);
  out.push_back('\n');
  bool complete = true;
  for (const std::string_view name : parts.header_names) {
    complete = append_header(request, name, out) && complete;
  }
  out.push_back('\n');
  out.append(parts.signed_headers).push_back('\n');
  out.append(parts.payload_hash);
  return complete;
}

void split(std::string_view text, char separator, std::vector<std::string_view>& out) {
  out.clear();
  for (;;) {
    const std::size_t at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return;
    }
    text.remove_prefix(at + 1);
  }
}

}  // namespace outcrop::auth
