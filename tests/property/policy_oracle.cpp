#include "tests/property/policy_oracle.h"

#include <arpa/inet.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <set>

namespace outcrop::test {
namespace {

namespace json = boost::json;

/// Yes, no, or nobody can tell.
using Maybe = std::optional<bool>;

std::string low(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

std::string str(const json::value& v) {
  if (v.is_string()) {
    return std::string(v.get_string());
  }
  return v.is_bool() ? (v.get_bool() ? "true" : "false") : std::to_string(v.as_int64());
}

std::vector<std::string> list(const json::value& v) {
  std::vector<std::string> out;
  if (!v.is_array()) {
    return {str(v)};
  }
  for (const json::value& item : v.get_array()) {
    out.push_back(str(item));
  }
  return out;
}

/// One question, and the notes about it.
struct Asked {
  const OracleRequest& request;
  OracleReach& reach;
};

void note(std::map<std::string, unsigned>& in, const std::string& what, Maybe result) {
  in[what] |= !result ? OracleReach::unclear : *result ? OracleReach::yes : OracleReach::no;
}

/// A pattern as characters; -1 is a star, -2 one character.
using Symbols = std::vector<int>;

void add_plain(Symbols& out, const std::string& text) {
  for (const char c : text) {
    out.push_back(static_cast<unsigned char>(c));
  }
}

/// Empty: a variable has no value.
std::optional<Symbols> read_pattern(const std::string& text,
                                    bool wild,
                                    bool variables,
                                    const Asked& asked) {
  const OracleRequest& request = asked.request;
  Symbols out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (variables && text.compare(i, 2, "${") == 0) {
      const std::size_t close = text.find('}', i);
      std::string name = text.substr(i + 2, close - i - 2);
      i = close;
      if (name == "*" || name == "?" || name == "$") {
        add_plain(out, name);
        continue;
      }
      std::optional<std::string> otherwise;
      if (const std::size_t comma = name.find(','); comma != std::string::npos) {
        const std::size_t quote = name.find('\'');
        otherwise = name.substr(quote + 1, name.rfind('\'') - quote - 1);
        name = name.substr(0, comma);
      }
      const auto found = request.context.find(low(name));
      const bool one = found != request.context.end() && found->second.size() == 1;
      note(asked.reach.variables, low(name), one);
      if (one) {
        add_plain(out, found->second.front());
      } else if (found == request.context.end() && otherwise) {
        add_plain(out, *otherwise);
      } else {
        return std::nullopt;
      }
    } else if (wild && (text[i] == '*' || text[i] == '?')) {
      out.push_back(text[i] == '*' ? -1 : -2);
    } else {
      out.push_back(static_cast<unsigned char>(text[i]));
    }
  }
  return out;
}

/// Row by row: which beginnings of the subject the first n symbols can be. ASCII subjects.
bool fits(const Symbols& pattern, const std::string& subject) {
  std::set<std::size_t> reach{0};
  for (const int symbol : pattern) {
    std::set<std::size_t> next;
    for (const std::size_t at : reach) {
      if (symbol == -1) {
        for (std::size_t to = at; to <= subject.size(); ++to) {
          next.insert(to);
        }
      } else if (at < subject.size() &&
                 (symbol == -2 || symbol == static_cast<unsigned char>(subject[at]))) {
        next.insert(at + 1);
      }
    }
    reach = std::move(next);
  }
  return reach.contains(subject.size());
}

std::vector<std::string> six(const std::string& arn) {
  std::vector<std::string> out;
  std::string rest = arn;
  while (out.size() < 5) {
    int depth = 0;
    std::size_t colon = 0;
    for (; colon < rest.size() && (rest[colon] != ':' || depth > 0); ++colon) {
      depth += rest.compare(colon, 2, "${") == 0 ? 1 : rest[colon] == '}' && depth > 0 ? -1 : 0;
    }
    if (colon == rest.size()) {
      return {};
    }
    out.push_back(rest.substr(0, colon));
    rest = rest.substr(colon + 1);
  }
  out.push_back(rest);
  return out;
}

Maybe arn_fits(const std::string& pattern,
               const std::string& subject,
               bool variables,
               const Asked& asked) {
  if (pattern == "*") {
    return true;
  }
  const auto want = six(pattern), have = six(subject);
  if (have.empty() || have[0] != "arn") {
    return false;
  }
  bool unclear = false;
  for (std::size_t i = 1; i < 6; ++i) {
    const auto symbols = read_pattern(want[i], true, variables, asked);
    unclear = unclear || !symbols;
    if (symbols && !fits(*symbols, have[i])) {
      return false;
    }
  }
  return unclear ? std::nullopt : Maybe(true);
}

std::optional<long double> number(const std::string& text) {
  std::size_t digits = 0, points = 0;
  for (std::size_t i = text.starts_with("-") ? 1 : 0; i < text.size(); ++i) {
    digits += std::isdigit(static_cast<unsigned char>(text[i])) ? 1 : 0;
    points += text[i] == '.' ? 1 : 0;
  }
  const std::size_t sign = text.starts_with("-") ? 1 : 0;
  if (digits == 0 || points > 1 || sign + digits + points != text.size() || text.ends_with(".") ||
      text[sign] == '.') {
    return std::nullopt;
  }
  return std::strtold(text.c_str(), nullptr);
}

/// "2026-11-21T23:19:36Z", "2026-11-21", or seconds.
std::optional<long double> date(const std::string& text) {
  if (text.size() > 4 && text.find_first_not_of("0123456789") == std::string::npos) {
    return number(text);
  }
  std::tm tm{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%d", &tm);
  if (end == nullptr) {
    return std::nullopt;
  }
  if (*end == 'T') {
    end = ::strptime(end, "T%H:%M:%SZ", &tm);
  }
  return end == nullptr || *end != '\0' ? std::nullopt : std::optional<long double>(::timegm(&tm));
}

/// 128 bits as text of zeros and ones.
std::optional<std::string> bits_of(const std::string& address) {
  unsigned char raw[16]{};
  raw[10] = raw[11] = 0xff;
  if (::inet_pton(AF_INET, address.c_str(), raw + 12) != 1 &&
      ::inet_pton(AF_INET6, address.c_str(), raw) != 1) {
    return std::nullopt;
  }
  std::string out;
  for (const unsigned char byte : raw) {
    for (int bit = 7; bit >= 0; --bit) {
      out += (byte >> bit & 1) != 0 ? '1' : '0';
    }
  }
  return out;
}

Maybe address_in(const std::string& block, const std::string& address) {
  const auto have = bits_of(address);
  if (!have) {
    return std::nullopt;
  }
  const std::size_t slash = block.find('/');
  const std::string network = block.substr(0, slash);
  std::size_t bits = 128;
  if (slash != std::string::npos) {
    bits = std::stoul(block.substr(slash + 1)) + (network.find(':') == std::string::npos ? 96 : 0);
  }
  return bits_of(network)->substr(0, bits) == have->substr(0, bits);
}

bool ordered(const std::string& op, long double a, long double b) {
  if (op.ends_with("lessthan")) {
    return a < b;
  }
  if (op.ends_with("lessthanequals")) {
    return a <= b;
  }
  if (op.ends_with("greaterthan")) {
    return a > b;
  }
  return op.ends_with("greaterthanequals") ? a >= b : a == b;
}

/// Bit by bit; empty: it is none.
std::optional<std::string> unbase64(const std::string& text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t body = std::min(text.find('='), text.size());
  if (text.size() % 4 != 0 || text.size() - body > 2 ||
      text.find_first_not_of('=', body) != std::string::npos) {
    return std::nullopt;
  }
  std::string bits;
  for (std::size_t i = 0; i < body; ++i) {
    const std::size_t value = alphabet.find(text[i]);
    if (value == std::string::npos) {
      return std::nullopt;
    }
    for (int bit = 5; bit >= 0; --bit) {
      bits += (value >> bit & 1) != 0 ? '1' : '0';
    }
  }
  return bits.substr(0, bits.size() / 8 * 8);
}

/// The positive form of the operator, for one value on each side.
Maybe equal(const std::string& op,
            const std::string& have,
            const std::string& want,
            bool variables,
            const Asked& asked) {
  if (op.starts_with("string")) {
    const bool any_case = op.find("ignorecase") != std::string::npos;
    const auto symbols = read_pattern(want, op.find("like") != std::string::npos, variables, asked);
    if (!symbols) {
      return std::nullopt;
    }
    Symbols pattern = *symbols;
    for (int& s : pattern) {
      s = any_case && s >= 0 ? std::tolower(s) : s;
    }
    return fits(pattern, any_case ? low(have) : have);
  }
  if (op.starts_with("numeric") || op.starts_with("date")) {
    const auto read = op.starts_with("date") ? date : number;
    const auto a = read(have);
    return a ? Maybe(ordered(op, *a, *read(want))) : std::nullopt;
  }
  if (op.find("ipaddress") != std::string::npos) {
    return address_in(want, have);
  }
  if (op == "bool") {
    const std::string value = low(have);
    return value == "true" || value == "false" ? Maybe(value == low(want)) : std::nullopt;
  }
  if (op == "binaryequals") {
    const auto a = unbase64(have);
    return a ? Maybe(*a == *unbase64(want)) : std::nullopt;
  }
  return arn_fits(want, have, variables, asked);
}

Maybe some(const std::vector<Maybe>& all) {
  bool unclear = false;
  for (const Maybe& m : all) {
    if (m == Maybe(true)) {
      return true;
    }
    unclear = unclear || !m;
  }
  return unclear ? std::nullopt : Maybe(false);
}
Maybe flip(Maybe m) { return m ? Maybe(!*m) : m; }
Maybe every(std::vector<Maybe> all) {
  for (Maybe& m : all) {
    m = flip(m);
  }
  return flip(some(all));
}

Maybe condition(std::string op,
                const std::string& key,
                const std::vector<std::string>& wanted,
                bool variables,
                const Asked& asked) {
  const OracleRequest& request = asked.request;
  const std::size_t slash = key.find('/');
  const std::string name =
      low(key.substr(0, slash)) + (slash == std::string::npos ? "" : key.substr(slash));
  const auto found = request.context.find(name);
  const std::vector<std::string> values =
      found == request.context.end() ? std::vector<std::string>{} : found->second;
  op = low(op);
  if (op == "null") {
    for (const std::string& w : wanted) {
      if ((low(w) == "true") == values.empty()) {
        return true;
      }
    }
    return false;
  }
  const bool all = op.starts_with("forallvalues:"), any = op.starts_with("foranyvalue:");
  op = all || any ? op.substr(op.find(':') + 1) : op;
  if (op.ends_with("ifexists")) {
    op.resize(op.size() - 8);
    if (values.empty()) {
      return true;
    }
  }
  const std::size_t no = op.find("not");
  const bool negated = no != std::string::npos;
  if (negated) {
    op.erase(no, 3);
  }
  std::vector<Maybe> results;
  for (const std::string& have : values) {
    std::vector<Maybe> one;
    for (const std::string& want : wanted) {
      one.push_back(equal(op, have, want, variables, asked));
    }
    results.push_back(negated ? flip(some(one)) : some(one));
  }
  if (all || (negated && !any)) {
    return every(results);
  }
  return some(results);
}

bool is_one_of(const json::value& principals, const OracleRequest& request, bool whole_account) {
  if (principals.is_string()) {
    return true;  // "*"
  }
  for (const auto& [type, names] : principals.get_object()) {
    for (const std::string& name : list(names)) {
      if (type == "CanonicalUser" && !request.anonymous && name == request.canonical_id &&
          (request.root || whole_account)) {
        return true;
      }
      if (type != "AWS") {
        continue;
      }
      const bool account = name == "000000000000" || name == "arn:aws:iam::000000000000:root";
      if (name == "*" ||
          (!request.anonymous &&
           (name == request.arn || name == request.role_arn || name == request.id) && !account) ||
          (account && !request.anonymous && (request.root || whole_account))) {
        return true;
      }
    }
  }
  return false;
}

/// Of a statement of a resource's policy: the user's ARN or id, or the session's ARN, is in its
/// list.
bool is_named(const json::object& s, const OracleRequest& request) {
  const json::value* const principals = s.if_contains("Principal");
  if (principals == nullptr || !principals->is_object() || request.anonymous || request.root) {
    return false;
  }
  const bool session = !request.role_arn.empty();
  const json::value* const names = principals->get_object().if_contains("AWS");
  for (const std::string& name : names != nullptr ? list(*names) : std::vector<std::string>()) {
    if (name == request.arn || (!session && name == request.id)) {
      return true;
    }
  }
  return false;
}

Maybe resource_named(const json::value& resources, bool variables, const Asked& asked) {
  std::vector<Maybe> all;
  for (const std::string& pattern : list(resources)) {
    all.push_back(arn_fits(pattern, asked.request.resource, variables, asked));
  }
  return some(all);
}

bool action_named(const json::value& actions, const Asked& asked) {
  for (const std::string& pattern : list(actions)) {
    if (fits(*read_pattern(low(pattern), true, false, asked), low(asked.request.action))) {
      return true;
    }
  }
  return false;
}

void note_condition(const std::string& op,
                    const std::string& key,
                    Maybe result,
                    OracleReach& reach) {
  std::string name = low(op.substr(op.find(':') + 1));
  name.resize(name.size() - (name.ends_with("ifexists") ? 8 : 0));
  const std::size_t slash = key.find('/');
  note(reach.operators, name, result);
  note(reach.keys,
       low(key.substr(0, slash)) + (slash == std::string::npos ? "" : key.substr(slash)), result);
}

bool applies(const json::object& s, bool with_principal, bool variables, const Asked& asked) {
  const OracleRequest& request = asked.request;
  const bool deny = s.at("Effect") == "Deny";
  if (s.contains("Action") ? !action_named(s.at("Action"), asked)
                           : action_named(s.at("NotAction"), asked)) {
    return false;
  }
  if (with_principal) {
    if (s.contains("Principal") ? !is_one_of(s.at("Principal"), request, deny)
                                : is_one_of(s.at("NotPrincipal"), request, !deny)) {
      return false;
    }
  }
  std::vector<Maybe> needed;
  needed.push_back(s.contains("Resource")
                       ? resource_named(s.at("Resource"), variables, asked)
                       : flip(resource_named(s.at("NotResource"), variables, asked)));
  if (s.contains("Condition")) {
    for (const auto& [op, entries] : s.at("Condition").get_object()) {
      for (const auto& [key, wanted] : entries.get_object()) {
        needed.push_back(
            condition(std::string(op), std::string(key), list(wanted), variables, asked));
        note_condition(std::string(op), std::string(key), needed.back(), asked.reach);
      }
    }
  }
  return every(needed).value_or(deny);
}

}  // namespace

OracleVerdict ask_oracle(const std::string& policy,
                         bool with_principal,
                         const OracleRequest& request,
                         OracleReach& reach) {
  const Asked asked{request, reach};
  const json::value document = json::parse(policy);
  const json::object& root = document.get_object();
  const bool variables = root.contains("Version") && root.at("Version") == "2012-10-17";
  OracleVerdict out;
  for (const json::value& s : root.at("Statement").get_array()) {
    const bool does = applies(s.get_object(), with_principal, variables, asked);
    for (const auto& [element, value] : s.get_object()) {
      note(reach.elements, std::string(element), does);
    }
    if (does) {
      (s.get_object().at("Effect") == "Deny" ? out.denies : out.allows) = true;
      out.names = out.names ||
                  (s.get_object().at("Effect") == "Allow" && is_named(s.get_object(), request));
    }
  }
  return out;
}

}  // namespace outcrop::test
