// WeChat's card for a page that somebody shares by themselves: title, words and picture as the page's own tags say.
// Only where WeChat's script is there, and nothing on the page depends on it.
const tag = (name) => {
  const found = document.querySelector(`meta[property="og:${name}"]`);
  return found ? found.content : "";
};

export async function offerCard() {
  const wx = window.wx;
  if (!wx || !wx.config || !tag("title")) return;
  try {
    const url = location.href.split("#")[0];
    const answer = await fetch(`/api/v1/wechat/signature?url=${encodeURIComponent(url)}`);
    if (!answer.ok) return;
    const jsApiList = ["updateAppMessageShareData", "updateTimelineShareData"];
    wx.config(Object.assign({ debug: false, jsApiList }, await answer.json()));
    const card = { title: tag("title"), desc: tag("description"), link: tag("url"), imgUrl: tag("image") };
    wx.ready(() => jsApiList.forEach((name) => wx[name](card)));
  } catch (error) {
    // A plain link is shared instead.
  }
}
