import type { Question } from '../types.ts';

/** Said alone, in letters only; all of them in lower case. */
const WORDS: ReadonlySet<string> = new Set(
  [
    // English
    'thanks, thank you, thank u, thanks a lot, thanks so much, thank you so much, thank you very much, many thanks',
    'thanks a bunch, thx, thanx, tnx, ty, tysm, cheers, ok thanks, okay thanks, great thanks, perfect thanks, cool thanks',
    'got it thanks, ok thank you, great thank you, perfect thank you, much appreciated',
    // German, Dutch, Scandinavian
    'danke, danke dir, danke euch, danke schön, danke sehr, dankeschön, vielen dank, herzlichen dank, besten dank, ok danke',
    'super danke, merci dir, bedankt, dank je, dank je wel, dankjewel, tack, tack så mycket, takk, tusen takk, tak, mange tak',
    // Romance
    'merci, merci beaucoup, merci bien, ok merci, gracias, muchas gracias, mil gracias, obrigado, obrigada, muito obrigado',
    'muito obrigada, grazie, grazie mille, molte grazie, mulțumesc, gràcies, moltes gràcies',
    // Others
    'kiitos, dziękuję, dzięki, děkuji, díky, ďakujem, köszönöm, hvala, teşekkürler, teşekkür ederim, sağ ol, ευχαριστώ',
    'спасибо, большое спасибо, спасибо большое, дякую, благодаря, شكرا, شكرا لك, תודה, תודה רבה, धन्यवाद, ขอบคุณ, cảm ơn',
    'terima kasih, ありがとう, ありがとうございます, 谢谢, 谢谢你, 多谢, 謝謝, 감사합니다, 고마워, 고맙습니다',
  ].flatMap((line) => line.split(', ')),
);

/** An emoji that says the same, alone or behind the words; Slack sends its name. */
const EMOJI =
  /[👍👏🙏🙌🙂😊😀😃😄❤💙💚💛🧡💜🎉✅]|:(?:\+1|thumbsup|clap|pray|raised_hands|heart|slightly_smiling_face|blush|tada|white_check_mark)(?:::skin-tone-\d)?:/gu;
/** Skin tones, variation selectors and joiners. */
const BESIDE_EMOJI = /\p{Emoji_Modifier}|\uFE0F|\u200D/gu;

/** Whether the message is nothing but a thanks: there is nothing in it to answer. */
export function isThanks({ trigger, text, attachments }: Question): boolean {
  if ((trigger !== 'thread' && trigger !== 'dm' && trigger !== 'reply') || attachments.length > 0)
    return false;
  const words = text.replaceAll(BESIDE_EMOJI, '').replaceAll(EMOJI, ' ');
  const spoken = words
    .toLowerCase()
    .replaceAll(/[\s.,!…~！。、]+/gu, ' ')
    .trim();
  return spoken === '' ? words !== text && text.trim() !== '' : WORDS.has(spoken);
}
