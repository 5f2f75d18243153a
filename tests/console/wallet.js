// A wallet that announces itself and signs with a key of the test's (`signWithWallet`). It refuses
// the methods of `refusals` with their codes, is on `chain`, and changes to the account `later`
// once it has signed in.
(({ account, chain, refusals, later }) => {
  let at = "0x" + chain.toString(16);
  const now = () => (later && document.getElementById("signing") ? later : account);
  const provider = {
    request: async ({ method, params = [] }) => {
      if (refusals[method]) throw { code: refusals[method], message: "no" };
      switch (method) {
        case "eth_requestAccounts":
          return [now()];
        case "eth_chainId":
          return at;
        case "wallet_switchEthereumChain":
          at = params[0].chainId;
          return null;
        case "personal_sign":
          return window.signWithWallet(method, params[0]);
        case "eth_signTypedData_v4":
          return window.signWithWallet(method, params[1]);
        default:
          throw { code: 4200, message: "unsupported" };
      }
    },
  };
  const icon = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>";
  const info = { uuid: "one", name: "Star Wallet", icon, rdns: "org.example" };
  const detail = Object.freeze({ info, provider });
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})(%s);
