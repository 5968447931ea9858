// Changes of tags, whatever they are of.
#include "auth/identity/draft.h"
#include "auth/identity/identity_store.h"

namespace outcrop::identity {
namespace {

template <class T>
Checked<> edit_one(Draft& draft,
                   const Checked<std::shared_ptr<const T>>& found,
                   const IdentityStore::TagsEdit& edit) {
  if (!found) {
    return std::unexpected(found.error());
  }
  Checked<TagsPtr> tags = edit((*found)->tags);
  if (!tags) {
    return std::unexpected(std::move(tags).error());
  }
  T changed = **found;
  changed.tags = *std::move(tags);
  draft.put(std::move(changed));
  return {};
}

}  // namespace

Change<> IdentityStore::edit_tags(Tagged what, TagsEdit edit) {
  const auto change_them = [&](Draft& draft) -> Checked<> {
    switch (what.kind) {
      case Tagged::Kind::user:
        return edit_one(draft, need(draft.next, EntityKind::user, what.name), edit);
      case Tagged::Kind::role:
        return edit_one(draft, need(draft.next, EntityKind::role, what.name), edit);
      case Tagged::Kind::policy:
        return edit_one(draft, need_own_policy(draft.next, what.name), edit);
      case Tagged::Kind::provider:
        break;
    }
    return edit_one(draft, need_own_provider(draft.next, what.name), edit);
  };
  co_return co_await change(change_them);
}

}  // namespace outcrop::identity
