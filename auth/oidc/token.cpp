#include "auth/oidc/token.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/json/value.h"

namespace outcrop::oidc {
namespace {

constexpr json::Limits kLimits{.bytes = kMaxTokenBytes, .depth = 16, .values = 2048};
constexpr std::int64_t kLastSecond = 253'402'300'799;  // the end of the year 9999
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxTags = 50;  // as AWS has it

std::unexpected<TokenError> malformed(std::string message) {
  return std::unexpected(TokenError{TokenFault::malformed, std::move(message)});
}

Checked<json::Value> read_part(std::string_view text, std::string_view what) {
  const auto plain = from_base64url(text);
  if (plain) {
    // Names that are there twice are refused: parsers disagree which one counts.
    if (auto value = json::parse(*plain, kLimits); value && value->is_object()) {
      return *std::move(value);
    }
  }
  return malformed("The " + std::string(what) + " of the token is not valid.");
}

/// NumericDate: seconds, perhaps with a fraction.
std::optional<std::int64_t> read_time(const json::Value& value) {
  const std::string& text = value.text;
  const std::size_t point = text.find('.');
  const std::string_view whole = std::string_view(text).substr(0, point);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  const bool fraction = point == std::string::npos ||
                        text.find_first_not_of("0123456789", point + 1) == std::string::npos;
  const bool fits = value.kind == json::Kind::number && error == std::errc() &&
                    end == whole.data() + whole.size() && fraction && seconds >= 0 &&
                    seconds <= kLastSecond;
  return fits ? std::optional(seconds) : std::nullopt;
}

/// One text, or a list of them; empty: neither, or none.
std::vector<std::string> read_texts(const json::Value* value) {
  std::vector<std::string> out;
  if (value == nullptr) {
    return out;
  }
  if (value->is_string()) {
    out.push_back(value->text);
  }
  for (const json::Value& item : value->items) {
    if (!item.is_string() || out.size() == kMaxAudiences) {
      return {};
    }
    out.push_back(item.text);
  }
  return out;
}

Checked<> read_text(const json::Value& all, std::string_view name, std::string& out) {
  const json::Value* const value = all.find(name);
  if (value == nullptr || !value->is_string() || value->text.empty()) {
    return malformed("Missing a required claim: " + std::string(name));
  }
  if (value->text.size() > kMaxName) {
    return malformed("The claim " + std::string(name) + " is too long.");
  }
  out = value->text;
  return {};
}

Checked<> read_seconds(const json::Value& all,
                       std::string_view name,
                       bool needed,
                       std::int64_t& out) {
  const json::Value* const value = all.find(name);
  if (value == nullptr) {
    return needed ? malformed("Missing a required claim: " + std::string(name)) : Checked<>();
  }
  const auto seconds = read_time(*value);
  if (!seconds) {
    return malformed("The claim " + std::string(name) + " is not a time.");
  }
  out = *seconds;
  return {};
}

std::unexpected<TokenError> malformed_tags() {
  return malformed("The claim " + std::string(kTagsClaim) + " is not as it must be.");
}

/// AWS has the value in a list of one.
Checked<> read_tag(std::string_view key, const json::Value& value, Claims& out) {
  const auto texts = read_texts(&value);
  if (texts.size() != 1 || out.tags.size() == kMaxTags) {
    return malformed_tags();
  }
  out.tags.emplace_back(key, texts.front());
  return {};
}

Checked<> read_transitive(const json::Value& value, Claims& out) {
  const bool texts = value.is_array() && std::ranges::all_of(value.items, &json::Value::is_string);
  if (!texts || value.items.size() > kMaxTags) {
    return malformed_tags();
  }
  for (const json::Value& key : value.items) {
    out.transitive_tags.push_back(key.text);
  }
  return {};
}

Checked<> read_tags_object(const json::Value& value, Claims& out) {
  const json::Value* const tags = value.find("principal_tags");
  const json::Value* const transitive = value.find("transitive_tag_keys");
  if (!value.is_object() || (tags != nullptr && !tags->is_object())) {
    return malformed_tags();
  }
  Checked<> done;
  for (std::size_t i = 0; tags != nullptr && done && i < tags->members.size(); ++i) {
    done = read_tag(tags->members[i].name, tags->members[i].value, out);
  }
  return done && transitive != nullptr ? read_transitive(*transitive, out) : done;
}

/// Both forms; providers that cannot nest claims write them as "CLAIM/principal_tags/KEY".
Checked<> read_tags(const json::Value& all, Claims& out) {
  constexpr std::string_view kTag = "/principal_tags/", kTransitive = "/transitive_tag_keys";
  Checked<> done;
  for (std::size_t i = 0; done && i < all.members.size(); ++i) {
    std::string_view name = all.members[i].name;
    if (!name.starts_with(kTagsClaim)) {
      continue;
    }
    name.remove_prefix(kTagsClaim.size());
    const json::Value& value = all.members[i].value;
    if (name.empty()) {
      done = read_tags_object(value, out);
    } else if (name.starts_with(kTag)) {
      done = read_tag(name.substr(kTag.size()), value, out);
    } else if (name == kTransitive) {
      done = read_transitive(value, out);
    }
  }
  return done;
}

Checked<Claims> read_claims(const json::Value& all) {
  Claims out;
  Checked<> done = read_text(all, "iss", out.issuer);
  done = done ? read_text(all, "sub", out.subject) : done;
  done = done ? read_seconds(all, "exp", true, out.expires) : done;
  done = done ? read_seconds(all, "iat", true, out.issued) : done;
  done = done ? read_seconds(all, "nbf", false, out.not_before) : done;
  done = done && all.find("azp") != nullptr ? read_text(all, "azp", out.party) : done;
  done = done ? read_tags(all, out) : done;
  if (!done) {
    return std::unexpected(done.error());
  }
  out.audiences = read_texts(all.find("aud"));
  out.methods = read_texts(all.find("amr"));
  return out.audiences.empty() ? malformed("Missing a required claim: aud") : Checked<Claims>(out);
}

}  // namespace

Checked<Token> Token::parse(std::string_view text) {
  if (text.size() > kMaxTokenBytes) {
    return malformed("The token is longer than " + std::to_string(kMaxTokenBytes) + " characters.");
  }
  const std::size_t first = text.find('.');
  const std::size_t last = text.rfind('.');
  if (first == std::string_view::npos || first == last ||
      text.substr(first + 1, last - first - 1).contains('.')) {
    return malformed(
        "The ID Token provided is not a valid JWT. (You may see this error if you "
        "sent an Access Token)");
  }
  const auto head = read_part(text.substr(0, first), "header");
  if (!head) {
    return std::unexpected(head.error());
  }
  const json::Value* const algorithm = head->find("alg");
  const auto known = algorithm != nullptr && algorithm->is_string()
                         ? find_algorithm(algorithm->text)
                         : std::nullopt;
  if (!known) {
    return malformed("The signature algorithm of the token is not accepted.");
  }
  // RFC 7515 4.1.11: whoever does not understand what is critical must refuse it.
  const json::Value* const key = head->find("kid");
  if (head->find("crit") != nullptr || key == nullptr || !key->is_string() || key->text.empty() ||
      key->text.size() > kMaxKeyId) {
    return malformed("The header of the token must name a key (kid), and nothing critical.");
  }
  const auto body = read_part(text.substr(first + 1, last - first - 1), "payload");
  if (!body) {
    return std::unexpected(body.error());
  }
  auto claims = read_claims(*body);
  if (!claims) {
    return std::unexpected(claims.error());
  }
  const auto signature = from_base64url(text.substr(last + 1));
  if (!signature || signature->empty()) {
    return malformed("The token is not signed.");
  }
  Token out;
  out.x_claims = *std::move(claims);
  out.x_algorithm = *known;
  out.x_key = key->text;
  out.x_text = text.substr(0, last);
  out.x_signature = *signature;
  return out;
}

Checked<Claims> Token::verify(const KeySet& keys, std::int64_t now) const {
  const auto refuse = [](TokenFault fault, std::string message) {
    return std::unexpected(TokenError{fault, std::move(message)});
  };
  if (!keys.contains(x_key, x_algorithm)) {
    return refuse(TokenFault::unknown_key,
                  "The identity provider has no key of that name for that algorithm.");
  }
  if (!keys.verify(x_key, x_algorithm, x_text, x_signature)) {
    return refuse(TokenFault::signature, "The signature of the token is not valid.");
  }
  if (now >= x_claims.expires + kSkewSeconds) {
    return refuse(TokenFault::expired,
                  "Token expired: current date/time must be before the "
                  "expiration date/time");
  }
  if (x_claims.not_before > now + kSkewSeconds || x_claims.issued > now + kSkewSeconds) {
    return refuse(TokenFault::not_yet, "The token is not valid yet.");
  }
  return x_claims;
}

}  // namespace outcrop::oidc
