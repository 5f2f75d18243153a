// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {SharesFace} from "./Faces.sol";
import {Pools} from "./Pools.sol";
import {Verifier, Wallet} from "./Signers.sol";
import {BurningWallet, CallingWallet, RevertingWallet} from "./Wallets.sol";

/// @title Claiming by signed message, and what thieves of messages try
contract SharesSignedTest is Pools {
    bytes32 private constant CLAIM = keccak256(
        "Claim(uint16 programmeId,uint32 distributionId,uint32 orgId,uint64 amount,"
        "address account,bytes32 operationId,uint256 deadline)"
    );
    bytes32 private constant CANCELLATION =
        keccak256("Cancellation(address account,bytes32 operationId,uint256 deadline)");
    uint256 private constant DEADLINE = FROM + 1 hours;
    string private constant DOMAIN_NAME = "Moonlake Shares";

    /// @dev What is signed: organisation 3 claims its share.
    struct Message {
        uint16 programmeId;
        uint32 distributionId;
        uint32 orgId;
        uint64 amount;
        address account;
        bytes32 operationId;
        uint256 deadline;
    }

    // --- who can sign

    function test_signed__by_the_controllers_key__claims_whoever_sends_it() public {
        bytes32[] memory proof = _proofOf(3);
        _watch(address(shares));
        vm.prank(stranger);
        shares.claimBySignature(posted, 3, 300, proof, OPERATION, _signedBy(_key(3), _message()));
        bytes memory line =
            abi.encode(IShares.ShareClaimed.selector, _number(1), posted, 3, 300, _controller(3), OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertTrue(shares.isClaimed(posted, 3), "its bit");
        vm.assertEq(shares.distribution(posted).claimed, 300, "claimed");
    }

    function test_signed__by_a_wallet_or_a_verifiers_key__claims() public {
        address wallet = address(new Wallet(vm.addr(_key("wallet"))));
        bytes memory signer = abi.encodePacked(new Verifier(), vm.addr(_key("passkey")), "salt");
        address account = shares.accountOf(signer);
        _rotate(3, wallet);
        _rotate(4, account);
        _sent(3, _signedAs(abi.encodePacked(wallet), _key("another"), 3), _invalid(wallet));
        _sent(3, _signedAs(abi.encodePacked(wallet), _key("wallet"), 3), "");
        Message memory message = _messageOf(4);
        (message.account, message.operationId) = (account, "another operation");
        bytes32 digest = _digest(address(shares), DOMAIN_NAME, keccak256(abi.encode(CLAIM, message)));
        ISignedMessages.Signed memory signed = _signedFor(signer, _key("another"), digest, DEADLINE);
        _sentFor(posted, 4, 400, "another operation", signed, _invalid(account));
        signed = _signedFor(signer, _key("passkey"), digest, DEADLINE);
        _sentFor(posted, 4, 400, "another operation", signed, "");
        vm.assertEq(shares.distribution(posted).claimed, 700, "claimed");
    }

    function test_signed__by_a_successor_after_a_merger__claims() public {
        _retire(3, 6);
        _sent(3, _signedBy(_key(3), _message()), _notController(_controller(3), 3));
        _sent(3, _signedBy(_key(6), _message()), "");
        vm.assertTrue(shares.isClaimed(posted, 3), "its bit");
    }

    function test_signed__by_a_signer_who_is_not_the_controller__is_refused() public {
        _sent(3, _signedBy(_key("stranger"), _message()), _notController(stranger, 3));
        _sent(3, _signedBy(_key(2), _message()), _notController(_controller(2), 3));
        _sent(3, _signedBy(_key("council"), _message()), _notController(council, 3));
        ISignedMessages.Signed memory signed = _signedBy(_key("stranger"), _message());
        signed.signer = abi.encodePacked(_controller(3));
        _sent(3, signed, _invalid(_controller(3)));
        signed.signer = hex"01";
        _sent(3, signed, abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, 1));
    }

    // --- what is signed

    function test_signed__any_other_field__is_refused() public {
        uint32 other = _post(_terms());
        for (uint256 field = 0; field < 7; ++field) {
            Message memory message = _message();
            if (field == 0) message.programmeId = SECOND;
            if (field == 1) message.distributionId = other;
            if (field == 2) message.orgId = 2;
            if (field == 3) message.amount = 200;
            if (field == 4) message.operationId = "another operation";
            if (field == 6) message.account = _controller(2);
            ISignedMessages.Signed memory signed = _signedBy(_key(3), message);
            if (field == 5) signed.deadline = DEADLINE + 1;
            _sent(3, signed, _invalid(_controller(3)));
        }
    }

    function test_signed__any_other_argument__is_refused() public {
        uint32 other = _post(_terms());
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory failure = _invalid(_controller(3));
        _sentFor(other, 3, 300, OPERATION, signed, failure);
        _sentFor(posted, 2, 300, OPERATION, signed, failure);
        _sentFor(posted, 3, 299, OPERATION, signed, failure);
        _sentFor(posted, 3, 300, "another operation", signed, failure);
        _sentFor(other + 1, 3, 300, OPERATION, signed, _unknown(other + 1));
    }

    function test_signed__for_another_programmes_distribution__names_that_programme() public {
        nodes = _tree(_leaves(SECOND, EPOCH, MEMBERS));
        IShares.Distribution memory terms = _terms();
        terms.programmeId = SECOND;
        Message memory message = _message();
        message.distributionId = _post(terms);
        bytes32[] memory proof = _proof(nodes, _leaf(SECOND, EPOCH, 3, 300));
        _sentWith(message, proof, _invalid(_controller(3)));
        message.programmeId = SECOND;
        _sentWith(message, proof, "");
        vm.assertTrue(shares.isClaimed(message.distributionId, 3), "its bit");
    }

    /// @dev The proof is public and not signed: a thief who spoils it spoils nothing else.
    function test_signed__front_run_with_another_proof__is_refused_and_stays_good() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory data =
            abi.encodeCall(shares.claimBySignature, (posted, 3, 300, _proofOf(2), OPERATION, signed));
        _send(address(shares), stranger, data, _invalidProof(posted, 3, 300));
        _sent(3, signed, "");
    }

    function test_signed__for_another_contract_name_or_chain__is_refused() public {
        Message memory message = _message();
        message.account = _controller(3);
        bytes32 hash = keccak256(abi.encode(CLAIM, message));
        bytes memory failure = _invalid(_controller(3));
        _sent(3, _signed(_key(3), address(benefits), DOMAIN_NAME, hash, DEADLINE), failure);
        _sent(3, _signed(_key(3), address(shares), "Moonlake Benefits", hash, DEADLINE), failure);
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        _sent(3, signed, failure);
        vm.chainId(chain);
        _sent(3, signed, "");
    }

    function test_signed__for_the_shares_deployed_before__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory arguments = abi.encode(authority, programmes, organisations);
        shares = SharesFace(vm.deployCode("Shares.sol", arguments));
        _post(_terms());
        _sent(3, signed, _invalid(_controller(3)));
    }

    function test_signed__high_s_or_cut__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory right = signed.signature;
        signed.signature = _malleated(right);
        _sent(3, signed, _invalid(_controller(3)));
        signed.signature = "";
        _sent(3, signed, _invalid(_controller(3)));
        signed.signature = right;
        _sent(3, signed, "");
    }

    // --- when

    function test_signed__last_second_of_the_deadline__is_done() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        vm.warp(DEADLINE + 1);
        _sent(3, signed, abi.encodeWithSelector(ISignedMessages.SignedExpired.selector, DEADLINE, DEADLINE + 1));
        vm.warp(DEADLINE);
        _sent(3, signed, "");
    }

    function test_signed__sent_again_or_front_run__is_refused_as_done() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes32[] memory proof = _proofOf(3);
        vm.prank(_controller(2)); // who gains nothing by it
        shares.claimBySignature(posted, 3, 300, proof, OPERATION, signed);
        bytes memory done = abi.encodeWithSelector(
            IJournal.JournalOperationDone.selector, OPERATION, shares.operationSequence(_controller(3), OPERATION)
        );
        _sent(3, signed, done);
        vm.warp(DEADLINE + 1); // whatever else stands against it by now
        _sent(3, signed, done);
        _send(
            address(shares), _controller(3), abi.encodeCall(shares.claim, (posted, 3, 300, proof, OPERATION)), done
        );
        vm.assertEq(shares.distribution(posted).claimed, 300, "claimed");
        vm.assertFalse(shares.isClaimed(posted, 2), "the one in front");
    }

    function test_signed__cancelled__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory cancelled =
            abi.encodeWithSelector(ISignedMessages.SignedCancelled.selector, _controller(3), OPERATION);
        uint256 before = vm.snapshotState();
        vm.prank(_controller(3));
        shares.cancelMessage(OPERATION);
        _sent(3, signed, cancelled);
        vm.revertToState(before);
        // By signature, while the ledger is paused.
        _pause();
        _sent(3, signed, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        bytes32 cancellation = keccak256(abi.encode(CANCELLATION, _controller(3), OPERATION, DEADLINE));
        shares.cancelMessageBySignature(
            OPERATION, _signed(_key(3), address(shares), DOMAIN_NAME, cancellation, DEADLINE)
        );
        _resume();
        _sent(3, signed, cancelled);
        _claim(3); // with another operation
    }

    function test_signed__controller_changed_or_retired_since__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        _rotate(3, stranger);
        _sent(3, signed, _notController(_controller(3), 3));
        _retire(3, 0);
        _sent(3, signed, abi.encodeWithSelector(IOrganisations.OrganisationsRetired.selector, 3));
    }

    // --- controllers that are contracts

    function test_signed__wallet_calls_back__changes_nothing_by_it() public {
        CallingWallet wallet = new CallingWallet();
        _rotate(3, address(wallet));
        bytes memory within = abi.encodeCall(shares.claim, (posted, 3, 300, _proofOf(3), "within"));
        wallet.prepare(address(shares), within);
        uint256 before = vm.snapshotState();
        _sent(3, _signedAs(abi.encodePacked(wallet), _key("any"), 3), "");
        vm.assertEq(shares.operationSequence(address(wallet), "within"), 0, "operation within");
        vm.assertEq(shares.distribution(posted).claimed, 300, "claimed");
        // The same call by itself is good, so that it was the asking that stopped it.
        vm.revertToState(before);
        _send(address(shares), address(wallet), within, "");
    }

    function test_signed__wallet_reverts_or_burns_the_gas__is_refused() public {
        address wallet = address(new RevertingWallet());
        _rotate(3, wallet);
        _sent(3, _signedAs(abi.encodePacked(wallet), _key("any"), 3), _invalid(wallet));
        wallet = address(new BurningWallet());
        _rotate(3, wallet);
        bytes memory data = abi.encodeCall(
            shares.claimBySignature,
            (posted, 3, 300, _proofOf(3), OPERATION, _signedAs(abi.encodePacked(wallet), _key("any"), 3))
        );
        (bool done, bytes memory answer) = address(shares).call{gas: 10_000_000}(data);
        vm.assertFalse(done, "call");
        vm.assertEq(answer, _invalid(wallet), "error");
    }

    // --- signing

    function _message() private view returns (Message memory) {
        return _messageOf(3);
    }

    function _messageOf(uint32 orgId) private view returns (Message memory) {
        return Message(FIRST, posted, orgId, _amount(orgId), address(0), OPERATION, DEADLINE);
    }

    function _signedBy(uint256 key, Message memory message) private view returns (ISignedMessages.Signed memory) {
        if (message.account == address(0)) message.account = vm.addr(key);
        bytes32 hash = keccak256(abi.encode(CLAIM, message));
        return _signed(key, address(shares), DOMAIN_NAME, hash, message.deadline);
    }

    /// @dev The message of an organisation, signed by a key for a signer.
    function _signedAs(bytes memory signer, uint256 key, uint32 orgId)
        private
        view
        returns (ISignedMessages.Signed memory)
    {
        Message memory message = _messageOf(orgId);
        message.account = shares.accountOf(signer);
        bytes32 hash = keccak256(abi.encode(CLAIM, message));
        return _signedFor(signer, key, _digest(address(shares), DOMAIN_NAME, hash), DEADLINE);
    }

    function _sent(uint32 orgId, ISignedMessages.Signed memory signed, bytes memory failure) private {
        _sentFor(posted, orgId, _amount(orgId), OPERATION, signed, failure);
    }

    function _sentFor(
        uint32 distributionId,
        uint32 orgId,
        uint64 amount,
        bytes32 operationId,
        ISignedMessages.Signed memory signed,
        bytes memory failure
    ) private {
        bytes memory data = abi.encodeCall(
            shares.claimBySignature, (distributionId, orgId, amount, _proofOf(orgId), operationId, signed)
        );
        _send(address(shares), stranger, data, failure);
    }

    /// @dev Sends organisation 3's message with a proof of its own.
    function _sentWith(Message memory message, bytes32[] memory proof, bytes memory failure) private {
        bytes memory data = abi.encodeCall(
            shares.claimBySignature,
            (message.distributionId, 3, 300, proof, OPERATION, _signedBy(_key(3), message))
        );
        _send(address(shares), stranger, data, failure);
    }

    function _invalid(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedInvalid.selector, account);
    }
}
