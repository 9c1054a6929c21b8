#include "svi/data/text_reader.hpp"
#include "svi/data/tokens.hpp"

namespace svi::data {

namespace {

// By kind. The single letters and "ll", "ve", "don", … are what the tokenizer leaves of short forms.
constexpr const char* english = R"(
a an the this that these those such same other another each every either neither both all any some no none
few many much more most less least several own enough
i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers
herself it its itself they them their theirs themselves one ones someone something anyone anything everyone
everything nobody nothing who whom whose which what whoever whatever
am is are was were be been being have has had having do does did doing done can could may might must shall
should will would ought cannot get gets got make makes made let lets
and or but nor so yet if then else because since although though while whereas unless until whether as than
about above across after against along among around at before behind below beneath beside besides between
beyond by despite down during except for from in inside into like near of off on onto out outside over past
per through throughout to toward towards under up upon via with within without
again ago already also always away ever even far here hence how however indeed instead just later maybe
meanwhile moreover nearly never nevertheless not now often once only otherwise perhaps quite rather really
sometimes soon still there therefore thus together too very well when whenever where wherever why
s t d m o ll re ve don doesn didn isn aren wasn weren hasn haven hadn won wouldn shouldn couldn mustn
eg ie etc)";

}  // namespace

const StopWords& english_stop_words() {
  static const StopWords words = [] {
    StopWords result;
    for_each_token(english, 1, [&](std::string_view word) { result.emplace(word); });
    return result;
  }();
  return words;
}

}  // namespace svi::data
