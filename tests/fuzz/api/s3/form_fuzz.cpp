// Bytes as a browser's form, in pieces of some size: the reader stays within its bounds, names
// every field once, and finds the same form and file however the body is cut. The first byte is the
// size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>

#include "api/s3/form_reader.h"
#include "api/s3/post_policy.h"
#include "storage/base/assert.h"
#include "storage/base/async.h"

using namespace outcrop;

namespace {

class Cut final : public http::BodyReader {
 public:
  Cut(std::string_view text, std::size_t most) : x_text(text), x_most(most) {}
  Task<std::size_t> read_some(MutBytes out) override {
    const std::size_t n = std::min({out.size(), x_most, x_text.size()});
    std::ranges::copy(as_bytes(x_text.substr(0, n)), out.begin());
    x_text.remove_prefix(n);
    co_return n;
  }
  std::optional<std::uint64_t> content_length() const override { return std::nullopt; }

 private:
  std::string_view x_text;
  const std::size_t x_most;
};

struct Parsed {
  s3::Form form;
  std::string file;
  bool complete = false;
};

Task<Parsed> parse(std::string_view text, std::size_t most) {
  Cut body(text, most);
  s3::FormReader reader(body, "XX");
  Parsed out;
  auto form = co_await reader.read_fields();
  if (!form) {
    co_return fail(Errc::invalid_argument);
  }
  out.form = *std::move(form);
  while (out.form.has_file) {
    auto piece = co_await reader.next();
    if (!piece) {
      break;
    }
    out.complete = piece->empty();
    if (out.complete) {
      break;
    }
    out.file += *piece;
  }
  co_return out;
}

/// What a form is allowed to be: each of its fields has a condition, and all conditions hold.
void check_allowed(const s3::PostPolicy& policy, const s3::Form& form) {
  OUTCROP_ASSERT(policy.expires >= 0);
  for (const s3::FormField& field : form.fields) {
    const bool free = field.name == "policy" || field.name == "x-amz-signature" ||
                      field.name == "file" || field.name == "awsaccesskeyid" ||
                      field.name == "signature" || field.name.starts_with("x-ignore-");
    OUTCROP_ASSERT(
        free || std::ranges::count(policy.conditions, field.name, &s3::PostCondition::field) > 0);
  }
  for (const s3::PostCondition& c : policy.conditions) {
    const std::string_view value =
        c.field == "bucket" ? std::string_view("bucket") : form.find(c.field).value_or("");
    OUTCROP_ASSERT(c.kind == s3::PostCondition::Kind::equal ? value == c.value
                                                            : value.starts_with(c.value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto cut = run_sync(parse(text, data[0] + 1u));
  const auto whole = run_sync(parse(text, 1 << 20));
  OUTCROP_ASSERT(cut.has_value() == whole.has_value());
  if (!whole) {
    return 0;
  }
  OUTCROP_ASSERT(cut->file == whole->file && cut->complete == whole->complete);
  OUTCROP_ASSERT(cut->form.fields.size() == whole->form.fields.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < whole->form.fields.size(); ++i) {
    const s3::FormField& field = whole->form.fields[i];
    OUTCROP_ASSERT(field.name == cut->form.fields[i].name);
    OUTCROP_ASSERT(field.value == cut->form.fields[i].value);
    OUTCROP_ASSERT(whole->form.find(field.name) == std::string_view(field.value));
    bytes += field.name.size() + field.value.size();
  }
  OUTCROP_ASSERT(bytes <= s3::kMaxFormBytes);
  if (const auto policy = whole->form.find("policy")) {
    if (const auto parsed = s3::parse_post_policy(*policy)) {
      OUTCROP_ASSERT(parsed->conditions.size() <= s3::kMaxPostConditions);
      if (s3::check_post_policy(*parsed, whole->form, "bucket", 0)) {
        check_allowed(*parsed, whole->form);
      }
    }
  }
  return 0;
}
