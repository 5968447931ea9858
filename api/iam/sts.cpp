// STS: who am I.
#include "api/iam/call.h"

namespace outcrop::iam {

Answer get_caller_identity(Call& call) {
  call.xml.text("Arn", call.who.arn).text("UserId", call.who.user_id);
  call.xml.text("Account", call.who.account);
  co_return identity::Checked<>{};
}

}  // namespace outcrop::iam
