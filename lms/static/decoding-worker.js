// Reads QR codes in a thread of its own, so that the page stays quick: ZXing-C++ as WebAssembly
// (lms/core/code_decoder.py). The page sends {folder} of the decoder first and is answered {ready}; then frames
// {id, pixels, width, height} (RGBA), each answered {id, texts}. Only this worker's policy lets WebAssembly be
// compiled (offline_session.py).
const OPTIONS = { formats: ["QRCode"], tryHarder: true, tryRotate: true, tryInvert: false, tryDownscale: true };

async function load({ folder }) {
  importScripts(`${folder}zxing_reader.js`);
  const overrides = { locateFile: (name) => folder + name };
  await ZXingWASM.prepareZXingModule({ overrides, fireImmediately: true });
  return { ready: true };
}

async function read({ id, pixels, width, height }) {
  const codes = await ZXingWASM.readBarcodes(new ImageData(new Uint8ClampedArray(pixels), width, height), OPTIONS);
  return { id, texts: codes.filter((code) => code.isValid).map((code) => code.text) };
}

self.addEventListener("message", async ({ data }) => {
  try {
    self.postMessage(await (data.folder ? load(data) : read(data)));
  } catch (error) {
    self.postMessage({ id: data.id, failed: String(error) });
  }
});
