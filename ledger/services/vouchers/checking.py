"""Whether a voucher is good here and now: looked at before it is brought, one reason at a time.

The contract would refuse each of these, too; but by names that say less, and some of them (another
chain, a high s) only as a signature that is not the signer's.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.addresses import show_address
from ledger.chain.contracts.messages import MessageTaker
from ledger.chain.contracts.registry import WRAPPERS
from ledger.chain.deployments import Deployment
from ledger.chain.rpc import Node
from ledger.chain.signers import recover_address
from ledger.chain.typed_data import MAX_VALIDITY, account_of
from ledger.errors import (
    InvalidValue,
    VoucherAsleep,
    VoucherCancelled,
    VoucherExpired,
    VoucherOfOtherChain,
    VoucherOfOtherContract,
    VoucherOfWrongSigner,
    VoucherSignatureHigh,
    VoucherSignatureUnusable,
    VoucherUsed,
)
from ledger.services.vouchers.voucher import Voucher

_SIGNATURE_BYTES = 65
_PARITIES = {27: 0, 28: 1}
_HIGH = "its s is high"  # as `recover_address` says it


@dataclass(frozen=True, slots=True)
class Checked:
    """What could be told of a voucher that is good. `by_wallet`: a contract vouches for it, which
    is asked when it is brought."""

    account: bytes
    by_wallet: bool


def check_voucher(voucher: Voucher, deployment: Deployment, node: Node) -> Checked:
    """Raise what is wrong with a voucher, as one of VoucherRefused."""
    _check_domain(voucher, deployment)
    by_wallet = _check_signature(voucher, node)
    _check_standing(voucher, deployment, node)
    return Checked(voucher.message.account, by_wallet)


def _check_domain(voucher: Voucher, deployment: Deployment) -> None:
    domain = voucher.message.domain
    if domain.chain_id != deployment.chain_id:
        raise VoucherOfOtherChain(found=domain.chain_id, expected=deployment.chain_id)
    address = deployment.contracts[domain.contract].address
    if domain.address != address:
        raise VoucherOfOtherContract(
            contract=domain.contract,
            found=show_address(domain.address),
            expected=show_address(address),
        )


def _check_signature(voucher: Voucher, node: Node) -> bool:
    """Check it as far as it can be without the contract; whether a wallet has to vouch for it."""
    account, signed = voucher.message.account, voucher.signed
    try:
        if account_of(signed.signer) != account:
            raise VoucherOfWrongSigner(account=show_address(account))
    except InvalidValue as error:
        raise VoucherSignatureUnusable(problem="its signer has fewer than 20 bytes") from error
    if len(signed.signer) > len(account) or node.code(account, "latest"):
        return True
    signature = signed.signature
    if len(signature) != _SIGNATURE_BYTES or signature[-1] not in _PARITIES:
        problem = "it is not r, s and v (27 or 28), 65 bytes"
        raise VoucherSignatureUnusable(problem=problem)
    parity = bytes([_PARITIES[signature[-1]]])
    try:
        found = recover_address(voucher.message.digest(), signature[:-1] + parity)
    except ValueError as error:
        if str(error) == _HIGH:
            raise VoucherSignatureHigh from error
        raise VoucherSignatureUnusable(problem=str(error)) from error
    if found != account:
        raise VoucherOfWrongSigner(account=show_address(account))
    return False


def _check_standing(voucher: Voucher, deployment: Deployment, node: Node) -> None:
    """Whether it counted, was cancelled, is over, or not good yet: by the chain and its time."""
    account, operation_id = voucher.message.account, voucher.operation_id
    address = deployment.contracts[voucher.contract].address
    contract = WRAPPERS[voucher.contract](node, address)
    assert isinstance(contract, MessageTaker), "it takes messages"  # noqa: S101
    line = contract.operation_sequence(account, operation_id, at="latest")
    shown = {"account": show_address(account), "operation_id": "0x" + operation_id.hex()}
    if line:
        raise VoucherUsed(**shown, line=line, contract=voucher.contract)
    if contract.is_cancelled(account, operation_id, at="latest"):
        raise VoucherCancelled(**shown)
    time = int(node.header("latest").timestamp, 16)
    deadline = voucher.message.deadline
    if deadline < time:
        raise VoucherExpired(deadline=deadline, time=time)
    if deadline > time + MAX_VALIDITY:
        raise VoucherAsleep(deadline=deadline, days=MAX_VALIDITY // 86_400)
