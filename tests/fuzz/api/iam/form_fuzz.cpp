// Any bytes as the form of an IAM request: parsed within bounds, or refused; so are its lists.
#include <cstdint>
#include <string_view>

#include "api/iam/form.h"
#include "api/iam/lists.h"
#include "storage/base/assert.h"

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto form = iam::Form::parse(text);
  if (!form) {
    OUTCROP_ASSERT(form.error().code() == Errc::invalid_argument);
    return 0;
  }
  const auto action = form->find("Action");
  OUTCROP_ASSERT(!action || action->size() <= size);
  OUTCROP_ASSERT(!action || !action->contains('\0'));
  if (const auto tags = iam::tags_of(*form)) {
    OUTCROP_ASSERT(tags->size() <= identity::kMaxTags);
    OUTCROP_ASSERT(tags->size() * 2 <= form->parameters().size());
  }
  if (const auto entries =
          iam::structures_of(*form, "ContextEntries", "ContextKeyName ContextKeyValues.")) {
    OUTCROP_ASSERT(entries->size() <= form->parameters().size());
  }
  if (const auto keys = iam::list_of(*form, "TagKeys")) {
    OUTCROP_ASSERT(keys->size() <= form->parameters().size());
  }
  return 0;
}
